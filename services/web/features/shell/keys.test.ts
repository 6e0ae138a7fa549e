import { describe, expect, test } from "vitest";

import { isCharacter, keyCaps, resolve, strokeName } from "./keys";

const stroke = (key: string, held: { ctrlKey?: boolean; metaKey?: boolean; altKey?: boolean } = {}) =>
  strokeName({ key, ctrlKey: false, metaKey: false, altKey: false, ...held });

describe("a stroke", () => {
  test.each([
    ["c", {}, "c"],
    ["C", {}, "c"],
    ["?", {}, "?"],
    [" ", {}, "Space"],
    ["k", { metaKey: true }, "mod+k"],
    ["k", { ctrlKey: true }, "mod+k"],
    ["å", { altKey: true }, null],
    ["Dead", {}, null],
  ])("%j with %j is called %j", (key, held, name) => {
    expect(stroke(key, held)).toBe(name);
  });
});

describe("among the known shortcuts", () => {
  const known = new Set(["c", "g t", "g c", "t"]);

  test("one key is found at once", () => {
    expect(resolve(known, null, "c")).toEqual({ hit: "c", pending: null });
  });
  test("the first of two waits for the second", () => {
    expect(resolve(known, null, "g")).toEqual({ hit: null, pending: "g" });
  });
  test("two in a row win over the second alone", () => {
    expect(resolve(known, "g", "c")).toEqual({ hit: "g c", pending: null });
  });
  test("a second key that belongs to nothing counts for itself", () => {
    expect(resolve(known, "g", "x")).toEqual({ hit: null, pending: null });
    expect(resolve(known, "x", "t")).toEqual({ hit: "t", pending: null });
  });
});

test("only plain characters can be turned off", () => {
  expect(["c", "g t", "Space", "#"].every(isCharacter)).toBe(true);
  expect(["mod+k", "Escape", "Delete", "F2"].some(isCharacter)).toBe(false);
});

test("the command key is called as the machine calls it", () => {
  expect(keyCaps("mod+k", true)).toEqual(["⌘", "K"]);
  expect(keyCaps("mod+k", false)).toEqual(["Ctrl", "K"]);
  expect(keyCaps("g t", false)).toEqual(["g", "t"]);
});
