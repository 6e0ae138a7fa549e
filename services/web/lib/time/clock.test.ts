import { Temporal } from "temporal-polyfill";
import { describe, expect, test } from "vitest";

import { addDays, addMonths, canonicalZone, clockAt, instantOf, isDay, isZone, weekdayOf } from "./clock";

const iso = (day: string, time: string, zone: string) =>
  new Date(instantOf(day, time, zone)).toISOString().replace(".000Z", "Z");

describe("a clock time becomes an instant", () => {
  test.each([
    ["nine o'clock in winter", "Europe/Oslo", "2026-12-01", "09:00", "2026-12-01T08:00:00Z"],
    ["nine o'clock in summer", "Europe/Oslo", "2026-07-01", "09:00", "2026-07-01T07:00:00Z"],
    [
      "a time the clocks jump over moves forward",
      "Europe/Oslo",
      "2026-03-29",
      "02:30",
      "2026-03-29T01:30:00Z",
    ],
    ["the minute before the gap", "Europe/Oslo", "2026-03-29", "01:59", "2026-03-29T00:59:00Z"],
    ["the minute after the gap", "Europe/Oslo", "2026-03-29", "03:00", "2026-03-29T01:00:00Z"],
    ["of a time shown twice the first", "Europe/Oslo", "2026-10-25", "02:30", "2026-10-25T00:30:00Z"],
    ["the hour after the overlap", "Europe/Oslo", "2026-10-25", "03:00", "2026-10-25T02:00:00Z"],
    ["a gap in New York", "America/New_York", "2026-03-08", "02:30", "2026-03-08T07:30:00Z"],
    ["an overlap in New York", "America/New_York", "2026-11-01", "01:30", "2026-11-01T05:30:00Z"],
    ["a gap of half an hour", "Australia/Lord_Howe", "2026-10-04", "02:15", "2026-10-03T15:45:00Z"],
    ["an overlap of half an hour", "Australia/Lord_Howe", "2026-04-05", "01:45", "2026-04-04T14:45:00Z"],
    ["three quarters of an hour off", "Asia/Kathmandu", "2026-12-31", "09:00", "2026-12-31T03:15:00Z"],
    ["Chatham's gap at a quarter to three", "Pacific/Chatham", "2026-09-27", "03:00", "2026-09-26T14:15:00Z"],
    ["a day that Samoa skipped", "Pacific/Apia", "2011-12-30", "09:00", "2011-12-30T19:00:00Z"],
    ["the day before it", "Pacific/Apia", "2011-12-29", "23:59", "2011-12-30T09:59:00Z"],
    ["the furthest ahead", "Pacific/Kiritimati", "2026-01-01", "00:00", "2025-12-31T10:00:00Z"],
    ["the furthest behind", "Etc/GMT+12", "2026-01-01", "00:00", "2026-01-01T12:00:00Z"],
    ["a midnight that is not", "America/Santiago", "2026-09-06", "00:00", "2026-09-06T04:00:00Z"],
    ["a midnight that comes twice", "Africa/Cairo", "2026-10-29", "23:30", "2026-10-29T20:30:00Z"],
    ["the leap day", "UTC", "2028-02-29", "12:00", "2028-02-29T12:00:00Z"],
  ])("%s", (_, zone, day, time, want) => {
    expect(iso(day, time, zone)).toBe(want);
  });

  test("as Temporal says, in all kinds of zones around all their changes", () => {
    const zones = [
      "Europe/Oslo",
      "Europe/Dublin",
      "America/New_York",
      "America/Santiago",
      "America/St_Johns",
      "Australia/Lord_Howe",
      "Asia/Kathmandu",
      "Asia/Tehran",
      "Africa/Casablanca",
      "Africa/Cairo",
      "Pacific/Apia",
      "Pacific/Chatham",
      "Antarctica/Troll",
    ];
    for (const zone of zones) {
      let at = Temporal.ZonedDateTime.from(`2009-01-01T00:00[${zone}]`);
      const end = Temporal.ZonedDateTime.from(`2030-01-01T00:00[${zone}]`);
      for (let n = 0; n < 60; n++) {
        const next = at.getTimeZoneTransition("next");
        if (!next || Temporal.ZonedDateTime.compare(next, end) > 0) break;
        at = next;
        for (let minutes = -150; minutes <= 150; minutes += 15) {
          const wall = at.toPlainDateTime().add({ minutes });
          const day = wall.toPlainDate().toString();
          const time = wall.toPlainTime().toString({ smallestUnit: "minute" });
          const want = Temporal.PlainDateTime.from(`${day}T${time}`).toZonedDateTime(zone);
          expect(`${day} ${time} ${zone} ${instantOf(day, time, zone)}`).toBe(
            `${day} ${time} ${zone} ${want.epochMilliseconds}`,
          );
          const shown = clockAt(want.epochMilliseconds, zone);
          expect(`${shown.day}T${shown.time}`).toBe(
            want.toPlainDateTime().toString({ smallestUnit: "minute" }),
          );
        }
      }
    }
  });
});

describe("days", () => {
  test.each([
    ["2026-03-28", 1, "2026-03-29"],
    ["2026-12-31", 1, "2027-01-01"],
    ["2024-03-01", -1, "2024-02-29"],
    ["2026-11-23", 365, "2027-11-23"],
    ["0099-12-31", 1, "0100-01-01"],
  ])("%s and %i days is %s", (day, n, want) => {
    expect(addDays(day, n)).toBe(want);
  });

  test.each([
    ["2026-01-31", 1, "2026-02-28"],
    ["2026-12-15", 1, "2027-01-15"],
    ["2026-03-31", -1, "2026-02-28"],
    ["2024-02-29", 12, "2025-02-28"],
  ])("%s and %i months is %s", (day, n, want) => {
    expect(addMonths(day, n)).toBe(want);
  });

  test("weekdays count from Monday", () => {
    expect(["2026-11-23", "2026-11-29", "1970-01-01"].map(weekdayOf)).toEqual([0, 6, 3]);
  });

  test("what is no day is none", () => {
    for (const text of ["2026-02-29", "2026-13-01", "2026-1-1", "2026-12-01T09:00:00Z", "", "0000-01-01"])
      expect(isDay(text), text).toBe(false);
    for (const text of ["2024-02-29", "2026-12-01", "9999-12-31"]) expect(isDay(text), text).toBe(true);
  });
});

test("a zone has one canonical name, and what is no zone is left alone", () => {
  expect(canonicalZone("Asia/Calcutta")).toBe(canonicalZone("Asia/Kolkata"));
  expect(canonicalZone("Nowhere/Land")).toBe("Nowhere/Land");
  expect([isZone("Europe/Oslo"), isZone("Nowhere/Land"), isZone("")]).toEqual([true, false, false]);
});
