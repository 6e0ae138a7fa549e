import { expect, it } from "vitest";

import { initials } from "./initials";

it.each([
  ["Ada Lovelace", "AL"],
  ["ada", "A"],
  ["Gabriel García Márquez", "GM"],
  ["  ", "E"],
  ["𝒜da 🙂", "𝒜🙂"],
])("%j is %s", (name, want) => {
  expect(initials(name, "e@example.org")).toBe(want);
});
