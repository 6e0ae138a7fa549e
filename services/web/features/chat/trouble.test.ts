import { describe, expect, it } from "vitest";

import { ApiError } from "@/lib/api/problem";

import { secondsLeft, troubleOf } from "./trouble";

const now = Date.parse("2026-11-23T09:00:00Z");
const of = (status: number, more: object = {}) =>
  troubleOf(new ApiError({ status, detail: "So it is.", ...more }), now);

describe("an error", () => {
  it("says what the server said", () => expect(of(503).says).toBe("So it is."));

  it("of a busy server can be tried again when the server says, and not before", () => {
    const trouble = of(429, { retryAfter: 5 });
    expect(trouble.retry).toBe(true);
    expect([0, 4_001, 5_000, 9_000].map((later) => secondsLeft(trouble, now + later))).toEqual([5, 1, 0, 0]);
  });

  it.each([0, 409, 500, 503])("with status %s can be tried again at once", (status) => {
    expect(of(status)).toMatchObject({ retry: true, at: 0 });
  });

  it.each([400, 403, 404, 413, 422])("with status %s can only be answered by another message", (status) => {
    expect(of(status).retry).toBe(false);
  });

  it("names the field that is wrong", () => {
    expect(of(422, { fields: [{ field: "message", message: "must not be empty" }] }).says).toBe(
      "So it is. (message must not be empty)",
    );
  });

  it("in the middle of an answer can be tried again", () => {
    expect(troubleOf(new Error("The model does not answer."), now)).toEqual({
      says: "The model does not answer.",
      retry: true,
      at: 0,
    });
  });
});
