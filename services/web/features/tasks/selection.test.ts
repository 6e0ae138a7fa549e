import { expect, test } from "vitest";

import { all, extended, nothing, toggled } from "./selection";

const listed = ["a", "b", "c", "d"];
const picked = (selection: { ids: ReadonlySet<string> }) => [...selection.ids].sort().join("");

test("a task is picked and let go again", () => {
  const one = toggled(nothing, "b");
  expect(picked(one)).toBe("b");
  expect(picked(toggled(one, "b"))).toBe("");
});

test("a range goes from the task picked last, in either direction", () => {
  expect(picked(extended(toggled(nothing, "b"), "d", listed))).toBe("bcd");
  expect(picked(extended(toggled(nothing, "c"), "a", listed))).toBe("abc");
});

test("a second range starts where the first did", () => {
  const first = extended(toggled(nothing, "b"), "c", listed);
  expect(picked(extended(first, "a", listed))).toBe("abc");
  expect(first.anchor).toBe("b");
});

test("a range whose start is no longer listed is the one task", () => {
  expect(picked(extended(toggled(nothing, "gone"), "c", listed))).toBe("cgone");
});

test("everything is picked, and let go once it all is", () => {
  const everything = all(toggled(nothing, "a"), listed);
  expect(picked(everything)).toBe("abcd");
  expect(picked(all(everything, listed))).toBe("");
});
