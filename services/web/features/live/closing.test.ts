import { describe, expect, test } from "vitest";

import { afterClose, backoff } from "./closing";

const most = () => 1;
const least = () => 0;

test("the pause doubles from one second to thirty, and half of it is left to chance", () => {
  expect([1, 2, 3, 4, 5, 6, 7, 50].map((n) => backoff(n, most))).toEqual([
    1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000,
  ]);
  expect([1, 2, 6].map((n) => backoff(n, least))).toEqual([500, 1000, 15_000]);
});

describe("after a close", () => {
  test.each([4001, 4401])("with %i a new token is asked for", (code) => {
    expect(afterClose(code, 0)).toEqual({ do: "renew" });
  });

  test.each([4003, 4403])("with %i the page leaves", (code) => {
    expect(afterClose(code, 0)).toEqual({ do: "leave" });
  });

  test("for silence it comes back at once, and nothing failed", () => {
    expect(afterClose(4000, 2, most)).toEqual({ do: "retry", after: 0, failures: 2 });
  });

  test.each([1001, 4009])("with %i it comes back soon, and nothing failed", (code) => {
    expect(afterClose(code, 0, most)).toEqual({ do: "retry", after: 1000, failures: 0 });
  });

  test.each([1011, 4008, 4029])("with %i it waits longer from the first time on", (code) => {
    expect(afterClose(code, 0, most)).toEqual({ do: "retry", after: 8000, failures: 1 });
    expect(afterClose(code, 4, most)).toEqual({ do: "retry", after: 16_000, failures: 5 });
  });

  test.each([1000, 1002, 1005, 1006, 1007, 1009, 4999])("with %i it is a failure like others", (code) => {
    expect(afterClose(code, 2, most)).toEqual({ do: "retry", after: 4000, failures: 3 });
  });
});
