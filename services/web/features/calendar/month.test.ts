import { expect, test } from "vitest";

import { monthNamed, monthTitle, step, weeksOf } from "./month";

test("a month is the whole weeks it touches, from the day weeks begin on", () => {
  const monday = weeksOf("2026-11", 0);
  expect([monday.length, monday[0]?.[0], monday.at(-1)?.[6]]).toEqual([6, "2026-10-26", "2026-12-06"]);
  const sunday = weeksOf("2026-11", 6);
  expect([sunday.length, sunday[0]?.[0], sunday.at(-1)?.[6]]).toEqual([5, "2026-11-01", "2026-12-05"]);
  const four = weeksOf("2027-02", 0);
  expect([four.length, four[0]?.[0], four.at(-1)?.[6]]).toEqual([4, "2027-02-01", "2027-02-28"]);
});

test.each([
  ["ArrowLeft", "2026-10-31"],
  ["ArrowRight", "2026-11-02"],
  ["ArrowUp", "2026-10-25"],
  ["ArrowDown", "2026-11-08"],
  ["Home", "2026-10-26"],
  ["End", "2026-11-01"],
  ["PageUp", "2026-10-01"],
  ["PageDown", "2026-12-01"],
  ["x", null],
])("%s leads to %s", (key, want) => {
  expect(step("2026-11-01", key, 0)).toBe(want);
});

test("the month after the 31st is the shorter month's last day", () => {
  expect(step("2026-01-31", "PageDown", 0)).toBe("2026-02-28");
});

test("an address that names no month names none", () => {
  expect(["2026-12", "2026-13", "26-1", "", null].map(monthNamed)).toEqual([
    "2026-12",
    null,
    null,
    null,
    null,
  ]);
  expect(monthTitle("2026-12")).toBe("December 2026");
});
