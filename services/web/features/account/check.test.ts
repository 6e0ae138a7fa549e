import { describe, expect, it } from "vitest";

import { emailProblem, nameProblem, newPasswordProblem } from "./check";

describe("an e-mail address", () => {
  it.each(["ada@example.org", " ada@example.org ", "a+b@sub.example.co.uk", "ø@example.org"])(
    "may be %j",
    (email) => {
      expect(emailProblem(email)).toBeUndefined();
    },
  );
  it.each([
    "",
    " ",
    "ada",
    "ada@",
    "@example.org",
    "ada@example",
    "a b@example.org",
    "a@b@example.org",
    "ada@example.",
  ])("may not be %j", (email) => {
    expect(emailProblem(email)).toBeDefined();
  });
});

describe("a new password", () => {
  it.each(["12345678", "correct horse battery staple", "x".repeat(72), "ü".repeat(36)])(
    "may be %j",
    (password) => {
      expect(newPasswordProblem(password)).toBeUndefined();
    },
  );
  it.each(["", "1234567", "x".repeat(73), "ü".repeat(37), "🙂".repeat(19)])("may not be %j", (password) => {
    expect(newPasswordProblem(password)).toBeDefined();
  });
});

describe("a name", () => {
  it("is not empty and not a text", () => {
    expect(nameProblem("  ")).toBeDefined();
    expect(nameProblem("x".repeat(101))).toBeDefined();
    expect(nameProblem("Ada Lovelace")).toBeUndefined();
  });
});
