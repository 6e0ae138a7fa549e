import { describe, expect, test } from "vitest";

import { at, dueDay, formatDue, isOverdue, moveTo, today } from "./due";

const oslo = "Europe/Oslo";
// A Monday, eight in the morning in Oslo.
const now = new Date("2026-11-23T07:00:00Z");

test("today is the zone's", () => {
  const late = new Date("2026-11-23T23:30:00Z");
  expect([oslo, "America/New_York", "Pacific/Apia", "UTC"].map((zone) => today(zone, late))).toEqual([
    "2026-11-24",
    "2026-11-23",
    "2026-11-24",
    "2026-11-23",
  ]);
});

test("the day of an instant is the zone's, the day of a whole day is its own", () => {
  expect(dueDay("2026-11-23T23:30:00Z", oslo)).toBe("2026-11-24");
  expect(dueDay("2026-11-23T23:30:00Z", "Asia/Kathmandu")).toBe("2026-11-24");
  expect(dueDay("2026-11-23", "Pacific/Apia")).toBe("2026-11-23");
  expect(dueDay(null, oslo)).toBe(null);
  expect(dueDay("rubbish", oslo)).toBe(null);
});

describe("overdue", () => {
  test.each([
    [null, false],
    ["2026-11-23", false],
    ["2026-11-22", true],
    ["2026-11-23T06:59:00Z", true],
    ["2026-11-23T07:00:00Z", false],
    ["2026-11-23T09:00:00+01:00", false],
  ])("%s: %s", (due, want) => {
    expect(isOverdue(due, oslo, now)).toBe(want);
  });

  test("a whole day is over when it is over in the zone", () => {
    const night = new Date("2026-11-23T23:30:00Z");
    expect(isOverdue("2026-11-23", oslo, night)).toBe(true);
    expect(isOverdue("2026-11-23", "America/New_York", night)).toBe(false);
  });
});

test.each([
  [null, ""],
  ["2026-11-23", "Today"],
  ["2026-11-23T16:00:00Z", "Today 17:00"],
  ["2026-11-24", "Tomorrow"],
  ["2026-11-22T22:59:00Z", "Yesterday 23:59"],
  ["2026-11-27", "Fri 27 Nov"],
  ["2026-11-02T08:00:00Z", "Mon 2 Nov 09:00"],
  ["2027-11-27", "27 Nov 2027"],
  ["2027-01-01T07:05:00Z", "1 Jan 2027 08:05"],
])("%s is said as %s", (due, want) => {
  expect(formatDue(due, oslo, now)).toBe(want);
});

describe("moving to another day", () => {
  test("keeps the clock time over the change of clocks", () => {
    expect(moveTo("2026-10-24T07:00:00Z", "2026-10-26", oslo)).toBe("2026-10-26T08:00:00.000Z");
  });
  test("into a gap moves forward", () => {
    expect(moveTo("2026-03-28T01:30:00Z", "2026-03-29", oslo)).toBe("2026-03-29T01:30:00.000Z");
  });
  test("leaves whole days whole, and makes one of nothing", () => {
    expect(moveTo("2026-10-24", "2026-10-26", oslo)).toBe("2026-10-26");
    expect(moveTo(null, "2026-10-26", oslo)).toBe("2026-10-26");
  });
});

test("a time on a day is an instant", () => {
  expect(at("2026-11-23", "17:00", oslo)).toBe("2026-11-23T16:00:00.000Z");
});
