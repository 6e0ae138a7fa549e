import { act, renderHook } from "@testing-library/react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { useNow } from "./use-now";

beforeEach(() => vi.useFakeTimers({ now: new Date("2026-11-23T22:58:40Z") }));
afterEach(() => vi.useRealTimers());

test("the present ticks on the full minute, through midnight in Oslo, with one timer for all", () => {
  const first = renderHook(useNow);
  const second = renderHook(useNow);
  const minute = () => first.result.current.toISOString().slice(0, 16);
  expect(minute()).toBe("2026-11-23T22:58");
  act(() => void vi.advanceTimersByTime(20_020));
  expect(minute()).toBe("2026-11-23T22:59");
  act(() => void vi.advanceTimersByTime(60_000));
  expect(minute()).toBe("2026-11-23T23:00");
  expect(second.result.current).toBe(first.result.current);
  expect(vi.getTimerCount()).toBe(1);
  first.unmount();
  second.unmount();
  expect(vi.getTimerCount()).toBe(0);
});
