import { describe, expect, it } from "vitest";

import { findZones, timeIn } from "./zones";

const zones = [
  "America/New_York",
  "America/North_Dakota/New_Salem",
  "Asia/Kolkata",
  "Europe/Oslo",
  "Europe/York",
  "UTC",
];

describe("the search for a time zone", () => {
  it.each([
    ["new york", ["America/New_York"]],
    ["NEW_YORK", ["America/New_York"]],
    ["york", ["Europe/York", "America/New_York"]],
    ["europe/", ["Europe/Oslo", "Europe/York"]],
    ["york america", ["America/New_York"]],
    ["nowhere", []],
  ])("for %j finds %j", (search, want) => {
    expect(findZones(zones, search, 10)).toEqual(want);
  });
  it("shows no more than there is room for", () => {
    expect(findZones(zones, "", 2)).toHaveLength(2);
  });
});

it("shows the time in a zone with its distance from UTC", () => {
  const now = new Date("2026-11-23T09:05:00Z");
  expect(timeIn("Asia/Kolkata", now)).toBe("14:35, UTC+5:30");
  expect(timeIn("UTC", now)).toBe("09:05, UTC");
});
