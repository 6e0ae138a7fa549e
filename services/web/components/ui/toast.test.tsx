import { act, cleanup, fireEvent, render, screen } from "@testing-library/react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { ToastProvider, type ToastOptions, useToast } from "./toast";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  cleanup();
  vi.useRealTimers();
});

function Teller(props: { toasts: readonly ToastOptions[] }) {
  const say = useToast();
  return <button onClick={() => props.toasts.forEach(say)}>Tell</button>;
}

function tell(...toasts: ToastOptions[]) {
  render(
    <ToastProvider>
      <Teller toasts={toasts} />
    </ToastProvider>,
  );
  const teller = screen.getByRole("button", { name: "Tell" });
  teller.focus();
  fireEvent.click(teller);
  return teller;
}

const told = () => screen.queryAllByRole("listitem").map((item) => item.textContent);
const pass = (milliseconds: number) => act(() => vi.advanceTimersByTime(milliseconds));

test("a toast goes by itself after six seconds, unless it says otherwise", () => {
  tell({ title: "Added" }, { title: "More", duration: 9000 });
  pass(5999);
  expect(told()).toEqual(["Added", "More"]);
  pass(1);
  expect(told()).toEqual(["More"]);
  pass(3000);
  expect(told()).toEqual([]);
});

test("a toast that has the focus stays, and then for what was left of its time", () => {
  const teller = tell({ title: "Added" });
  pass(4000);
  act(() => screen.getByRole("button", { name: "Dismiss" }).focus());
  pass(60_000);
  expect(told()).toEqual(["Added"]);
  act(() => teller.focus());
  pass(1999);
  expect(told()).toEqual(["Added"]);
  pass(1);
  expect(told()).toEqual([]);
});

test("F8 goes to the newest toast, and Escape in it closes it and goes back", () => {
  const teller = tell({ title: "Old" }, { title: "New" });
  fireEvent.keyDown(teller, { key: "F8" });
  expect(document.activeElement?.closest("li")?.textContent).toBe("New");
  fireEvent.keyDown(document.activeElement as Element, { key: "Escape" });
  expect(told()).toEqual(["Old"]);
  expect(document.activeElement).toBe(teller);
});

test("Escape elsewhere is not the toasts'", () => {
  const teller = tell({ title: "Added" });
  // False if the event was prevented.
  expect(fireEvent.keyDown(teller, { key: "Escape" })).toBe(true);
  expect(told()).toEqual(["Added"]);
});

test("the action is done once and closes its toast", () => {
  const onPress = vi.fn();
  tell({ title: "Deleted", action: { label: "Undo", onPress } });
  fireEvent.click(screen.getByRole("button", { name: "Undo" }));
  expect(onPress).toHaveBeenCalledOnce();
  expect(told()).toEqual([]);
});

test("the oldest goes when there are more than three", () => {
  tell({ title: "1" }, { title: "2" }, { title: "3" }, { title: "4" });
  expect(told()).toEqual(["2", "3", "4"]);
});

test("what failed is read out at once", () => {
  tell({ title: "Not changed", tone: "danger" });
  expect(screen.getByRole("alert").textContent).toBe("Not changed");
});
