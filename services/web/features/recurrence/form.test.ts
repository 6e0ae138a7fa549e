import { describe as suite, expect, test } from "vitest";

import { describe } from "./describe";
import { formOf, ruleOf } from "./form";

suite("a rule that the editor shows comes back as it was", () => {
  const ends = ["", ";COUNT=10", ";UNTIL=20271225"];
  const rules = [
    "FREQ=DAILY",
    "FREQ=DAILY;INTERVAL=3",
    "FREQ=WEEKLY",
    "FREQ=WEEKLY;BYDAY=MO",
    "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,WE,SU",
    "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR,SA,SU",
    "FREQ=MONTHLY",
    "FREQ=MONTHLY;BYMONTHDAY=31",
    "FREQ=MONTHLY;BYMONTHDAY=1,15",
    "FREQ=MONTHLY;BYMONTHDAY=1,-1",
    "FREQ=MONTHLY;INTERVAL=6;BYMONTHDAY=-1",
    ...["1MO", "2TU", "3WE", "4TH", "5FR", "-1SU"].map((day) => `FREQ=MONTHLY;BYDAY=${day}`),
    "FREQ=YEARLY",
    "FREQ=YEARLY;INTERVAL=4",
    "FREQ=YEARLY;BYMONTH=2",
    "FREQ=YEARLY;BYMONTH=12;BYMONTHDAY=25",
    "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=-1",
    "FREQ=YEARLY;BYMONTH=3;BYDAY=2SU",
  ].flatMap((rule) => ends.map((end) => rule + end));
  test.each(rules)("%s", (rule) => {
    const form = formOf(rule);
    expect(form && ruleOf(form)).toBe(rule);
  });
});

test.each([
  ["daily", "FREQ=DAILY"],
  ["RRULE:freq=weekly;byday=su,mo", "FREQ=WEEKLY;BYDAY=MO,SU"],
  ["FREQ=WEEKLY;WKST=MO;INTERVAL=2;BYDAY=TU", "FREQ=WEEKLY;INTERVAL=2;BYDAY=TU"],
  ["FREQ=MONTHLY;BYMONTHDAY=-1,15,1,15", "FREQ=MONTHLY;BYMONTHDAY=1,15,-1"],
])("%s is spelled %s", (rule, want) => {
  const form = formOf(rule);
  expect(form && ruleOf(form)).toBe(want);
});

test.each([
  "FREQ=DAILY;BYMONTH=6,7",
  "FREQ=DAILY;BYDAY=MO,TU",
  "FREQ=WEEKLY;INTERVAL=2;WKST=SU;BYDAY=SU,MO",
  "FREQ=WEEKLY;BYMONTH=6",
  "FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13",
  "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1",
  "FREQ=MONTHLY;BYDAY=1MO,3MO",
  "FREQ=MONTHLY;BYDAY=-2FR",
  "FREQ=MONTHLY;BYMONTHDAY=-2",
  "FREQ=YEARLY;BYMONTHDAY=1",
  "FREQ=YEARLY;BYDAY=20MO",
  "FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO",
  "FREQ=YEARLY;BYYEARDAY=-1",
  "FREQ=YEARLY;BYMONTH=6,7;BYMONTHDAY=1",
  "FREQ=DAILY;UNTIL=20271225T103000",
  "FREQ=DAILY;UNTIL=20271225T103000Z",
  "FREQ=DAILY;UNTIL=20270231",
  "FREQ=HOURLY",
  "FREQ=DAILY;COUNT=1;UNTIL=20271225",
  "every day",
  "",
])("%s says more than the editor shows", (rule) => {
  expect(formOf(rule)).toBe(null);
});

// The sentences are those of pkg/recurrence's own test, without times and zones: both must say the same.
suite("a rule in words, as the server says it", () => {
  test.each([
    ["daily", "Every day"],
    ["FREQ=DAILY;INTERVAL=2", "Every second day"],
    ["FREQ=DAILY;INTERVAL=21", "Every 21st day"],
    ["FREQ=DAILY;BYMONTH=6,7", "Every day in June and July"],
    ["weekly", "Every Tuesday"],
    ["FREQ=WEEKLY;INTERVAL=2", "Every second Tuesday"],
    ["FREQ=WEEKLY;INTERVAL=2;BYDAY=TU", "Every second Tuesday"],
    ["FREQ=WEEKLY;BYDAY=TH,MO", "Every Monday and Thursday"],
    ["FREQ=WEEKLY;INTERVAL=3;BYDAY=MO,TH", "Every third week on Monday and Thursday"],
    ["FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR", "Every weekday"],
    ["FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR,SA,SU", "Every day"],
    ["FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,TU,WE,TH,FR", "Every second week on Monday to Friday"],
    ["monthly", "Every month on the 29th, skipping months without it"],
    ["FREQ=MONTHLY;BYMONTHDAY=1,15", "Every month on the 1st and the 15th"],
    ["FREQ=MONTHLY;BYMONTHDAY=-1", "Every month on the last day"],
    ["FREQ=MONTHLY;BYMONTHDAY=-2", "Every month on the second to last day"],
    ["FREQ=MONTHLY;BYDAY=2TU", "Every month on the second Tuesday"],
    ["FREQ=MONTHLY;BYDAY=-1FR", "Every month on the last Friday"],
    ["FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13", "Every month on the 13th if it is a Friday"],
    [
      "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1",
      "Every month on Monday to Friday, only the last in each month",
    ],
    ["FREQ=YEARLY", "Every year on 29 December"],
    ["FREQ=YEARLY;BYMONTH=12;BYMONTHDAY=25", "Every year on 25 December"],
    ["FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29", "Every year on 29 February, skipping years without it"],
    ["FREQ=YEARLY;BYMONTH=3;BYDAY=2SU", "Every year on the second Sunday in March"],
    ["FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO", "Every year on Monday in week 20"],
    ["FREQ=YEARLY;BYYEARDAY=-1", "Every year on the last day of the year"],
    ["FREQ=DAILY;COUNT=10", "Every day, 10 times"],
    ["FREQ=DAILY;COUNT=1", "Every day, once"],
    ["FREQ=DAILY;UNTIL=20271225", "Every day, until 25 December 2027"],
    ["FREQ=DAILY;UNTIL=20271225T080000Z", "Every day, until 25 December 2027"],
  ])("%s: %s", (rule, want) => {
    expect(describe(rule, { start: "2026-12-29" })).toBe(want);
  });

  test("without the day it begins on, and from completion", () => {
    expect(describe("weekly")).toBe("Every week");
    expect(describe("monthly")).toBe("Every month");
    expect(describe("weekly", { start: "2026-12-29", fromCompletion: true })).toBe(
      "Every week, counted from the day it is done",
    );
  });

  test("what cannot be read stays as it is", () => {
    expect(describe("FREQ=HOURLY;<b>x</b>")).toBe("FREQ=HOURLY;<b>x</b>");
  });
});
