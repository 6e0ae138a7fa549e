import { describe, expect, it } from "vitest";

import { AuthRefusal } from "@/lib/auth/client";

import { failureOf } from "./failure";

function refusal(status: number, body: unknown, headers?: Record<string, string>) {
  return new AuthRefusal(new Response(null, { status, headers }), body);
}

describe("a refusal in words", () => {
  it("says when to try again after too many tries", () => {
    expect(failureOf(refusal(429, null, { "X-Retry-After": "7" }))).toEqual({
      message: "Too many tries.",
      retryAfter: 7,
    });
  });
  it("guesses when it is not told when", () => {
    expect(failureOf(refusal(429, null, { "X-Retry-After": "soon" })).retryAfter).toBe(10);
    expect(failureOf(refusal(429, null)).retryAfter).toBe(10);
  });
  it("names the field that is wrong", () => {
    expect(failureOf(refusal(422, { code: "USER_ALREADY_EXISTS_USE_ANOTHER_EMAIL" })).field).toBe("email");
  });
  it("does not tell whether address or password was wrong", () => {
    expect(failureOf(refusal(401, { code: "INVALID_EMAIL_OR_PASSWORD" }))).toEqual({
      message: "The e-mail address or the password is wrong.",
    });
  });
  it("shows nothing of what failed inside the server", () => {
    expect(failureOf(refusal(500, { message: "relation user does not exist" })).message).not.toContain(
      "relation",
    );
  });
  it("tells a server that is away from one that refuses", () => {
    expect(failureOf(new TypeError("fetch failed")).message).toContain("cannot be reached");
    expect(failureOf(refusal(400, { code: "SOMETHING_NEW", message: "Not like that." })).message).toBe(
      "Not like that.",
    );
  });
});
