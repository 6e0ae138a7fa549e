import { expect, test } from "vitest";

import { ApiError } from "@/lib/api/problem";

import { retries, retryDelay } from "./query";

const failure = (status: number, retryAfter?: number) => new ApiError({ status, detail: "no", retryAfter });

test.each([
  [0, 0, true],
  [503, 2, true],
  [503, 3, false],
  [404, 0, false],
  [422, 0, false],
])("a read that failed with %i for the %i-th time is tried again: %s", (status, failures, again) => {
  expect(retries(failures, failure(status))).toBe(again);
});

test("a mistake of the page itself is not tried again", () => {
  expect(retries(0, new TypeError("x"))).toBe(false);
});

test("the pause doubles, spread over half of it, up to fifteen seconds", () => {
  expect([0, 1, 2, 9].map((n) => retryDelay(n, failure(503), () => 1))).toEqual([1000, 2000, 4000, 15_000]);
  expect(retryDelay(1, failure(503), () => 0)).toBe(1000);
});

test("the pause is what the server asks for, in reason", () => {
  expect(retryDelay(0, failure(429, 4), () => 1)).toBe(4500);
  expect(retryDelay(0, failure(503, 600), () => 1)).toBe(15_500);
});
