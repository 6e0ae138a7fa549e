import { describe, expect, it } from "vitest";

import { ago, found, linked } from "./words";

describe("titles in a text", () => {
  const milk = { id: "1", title: "Buy milk" };
  const oat = { id: "2", title: "Buy milk and oats" };

  it("link to their tasks, the longest that fits", () => {
    expect(linked("Added: Buy milk and oats, Buy milk.", [milk, oat])).toEqual([
      { text: "Added: " },
      { text: "Buy milk and oats", task: "2" },
      { text: ", " },
      { text: "Buy milk", task: "1" },
      { text: "." },
    ]);
  });

  it("link as whole words only", () => {
    expect(linked("Buy milkshakes", [milk])).toEqual([{ text: "Buy milkshakes" }]);
    expect(linked("Zähl", [{ id: "1", title: "hlz" }])).toEqual([{ text: "Zähl" }]);
  });

  it("stay text when they look like HTML", () => {
    const title = "<img src=x onerror=alert(1)>";
    expect(linked(`Done: ${title}`, [{ id: "1", title }])).toEqual([
      { text: "Done: " },
      { text: title, task: "1" },
    ]);
  });

  it("that are unknown or too short are not looked for", () => {
    expect(
      linked("a b", [
        { id: "1", title: "a" },
        { id: "2", title: undefined },
      ]),
    ).toEqual([{ text: "a b" }]);
  });
});

describe("words that were searched", () => {
  it("are marked in a snippet, whatever their case", () => {
    expect(found("Buy MILK, milky", "milk")).toEqual([
      { text: "Buy", hit: false },
      { text: " ", hit: false },
      { text: "MILK", hit: true },
      { text: ", ", hit: false },
      { text: "milky", hit: false },
    ]);
  });

  it("that mean something else to a pattern are words, too", () => {
    expect(found("a.b (", ".* (").every((p) => !p.hit)).toBe(true);
  });
});

describe("how long ago, in the user's zone", () => {
  const now = new Date("2026-11-23T02:30:00Z");
  it.each([
    ["2026-11-23T02:29:40Z", "UTC", "now"],
    ["2026-11-23T02:31:00Z", "UTC", "now"],
    ["2026-11-23T02:05:00Z", "UTC", "25 min"],
    ["2026-11-23T00:10:00Z", "UTC", "00:10"],
    ["2026-11-22T23:10:00Z", "UTC", "yesterday"],
    ["2026-11-22T23:10:00Z", "America/New_York", "18:10"],
    ["2026-11-18T12:00:00Z", "UTC", "Wed"],
    ["2026-11-02T12:00:00Z", "UTC", "2 Nov"],
    ["2025-11-02T12:00:00Z", "UTC", "2 Nov 2025"],
  ])("%s in %s is %s", (then, zone, shown) => expect(ago(then, zone, now)).toBe(shown));
});
