import { describe, expect, test } from "vitest";

import type { NewTask } from "@/features/tasks/model";

import { type ParseOptions, parse } from "./parse";

// Monday 23 November 2026, eight in the morning in Oslo.
const options: ParseOptions = { now: new Date("2026-11-23T07:00:00Z"), zone: "Europe/Oslo" };

const oslo = (day: string, time: string) => new Date(`${day}T${time}:00+01:00`).toISOString();

type Case = [text: string, title: string, task: Omit<NewTask, "title">];

const due = (due_date: string) => ({ due_date });
const repeats = (due_date: string, rule: string, more = {}) => ({ due_date, recurrence: { rule, ...more } });

function check([text, title, task]: Case) {
  const parsed = parse(text, options);
  expect({ title: parsed.title, task: parsed.task }).toEqual({ title, task });
}

describe("dates", () => {
  test.each<Case>([
    ["Call mum today", "Call mum", due("2026-11-23")],
    ["call mum tomorrow", "call mum", due("2026-11-24")],
    ["Tomorrow call mum", "call mum", due("2026-11-24")],
    ["Call mum tomorrow about the car", "Call mum about the car", due("2026-11-24")],
    ["Pay rent tmrw", "Pay rent", due("2026-11-24")],
    ["Pack the day after tomorrow", "Pack", due("2026-11-25")],
    ["Submit report fri", "Submit report", due("2026-11-27")],
    ["Submit report Friday", "Submit report", due("2026-11-27")],
    ["Submit report on friday to Ann", "Submit report to Ann", due("2026-11-27")],
    ["Submit report by Friday.", "Submit report.", due("2026-11-27")],
    ["Submit report due friday", "Submit report", due("2026-11-27")],
    ["Dentist monday", "Dentist", due("2026-11-30")],
    ["Dentist this friday", "Dentist", due("2026-11-27")],
    ["Dentist next friday", "Dentist", due("2026-12-04")],
    ["Dentist next monday", "Dentist", due("2026-11-30")],
    ["fri: ship it", "ship it", due("2026-11-27")],
    ["Renew passport in 3 days", "Renew passport", due("2026-11-26")],
    ["Renew passport in 2 weeks", "Renew passport", due("2026-12-07")],
    ["Renew passport in a week", "Renew passport", due("2026-11-30")],
    ["Renew passport in three months", "Renew passport", due("2027-02-23")],
    ["Take it out in 2 hours", "Take it out", due(oslo("2026-11-23", "10:00"))],
    ["Take it out in 45 min", "Take it out", due(oslo("2026-11-23", "08:45"))],
    ["Book flights 27 nov", "Book flights", due("2026-11-27")],
    ["Book flights nov 27", "Book flights", due("2026-11-27")],
    ["Book flights on 27th of November", "Book flights", due("2026-11-27")],
    ["Book flights November 27, 2027", "Book flights", due("2027-11-27")],
    ["Book flights 3 jan", "Book flights", due("2027-01-03")],
    ["Party on 29 feb", "Party", due("2028-02-29")],
    ["Party by may 5", "Party", due("2027-05-05")],
    ["Party 5 may", "Party", due("2027-05-05")],
    ["File taxes 2026-12-01", "File taxes", due("2026-12-01")],
    ["File 2026-12-01 taxes", "File taxes", due("2026-12-01")],
    ["File taxes 27/11", "File taxes", due("2026-11-27")],
    ["File taxes on 11/27", "File taxes", due("2026-11-27")],
    ["File taxes 27.11.2027", "File taxes", due("2027-11-27")],
    ["File taxes on the 15th", "File taxes", due("2026-12-15")],
    ["Brunch on sun", "Brunch", due("2026-11-29")],
    ["Brunch next sat", "Brunch", due("2026-12-05")],
    ["Clean garage this weekend", "Clean garage", due("2026-11-28")],
    ["Clean garage next week", "Clean garage", due("2026-11-30")],
    ["Call mum (tomorrow)", "Call mum", due("2026-11-24")],
    ["Buy milk, tomorrow", "Buy milk", due("2026-11-24")],
    ["CALL MUM TOMORROW", "CALL MUM", due("2026-11-24")],
  ])("%s", (...c) => check(c));
});

describe("times", () => {
  test.each<Case>([
    ["Call at 5pm", "Call", due(oslo("2026-11-23", "17:00"))],
    ["Call 17:00", "Call", due(oslo("2026-11-23", "17:00"))],
    ["Call 5 pm", "Call", due(oslo("2026-11-23", "17:00"))],
    ["Call at 5:30 pm", "Call", due(oslo("2026-11-23", "17:30"))],
    ["Call at 7am", "Call", due(oslo("2026-11-24", "07:00"))],
    ["Call at noon", "Call", due(oslo("2026-11-23", "12:00"))],
    ["Call at 12am tomorrow", "Call", due(oslo("2026-11-24", "00:00"))],
    ["Dentist tomorrow at 9:30", "Dentist", due(oslo("2026-11-24", "09:30"))],
    ["Dentist tomorrow 9:30", "Dentist", due(oslo("2026-11-24", "09:30"))],
    ["Dentist 9:30 tomorrow", "Dentist", due(oslo("2026-11-24", "09:30"))],
    ["Dentist 27 nov 14:30 bring card", "Dentist bring card", due(oslo("2026-11-27", "14:30"))],
    ["Dentist friday at 5pm!", "Dentist!", due(oslo("2026-11-27", "17:00"))],
    ["Dentist sat 5pm", "Dentist", due(oslo("2026-11-28", "17:00"))],
    ["Call @5pm", "Call", due(oslo("2026-11-23", "17:00"))],
  ])("%s", (...c) => check(c));
});

describe("priorities, tags and reminders", () => {
  test.each<Case>([
    ["Pay bill !high", "Pay bill", { priority: "high" }],
    ["!urgent Pay bill", "Pay bill", { priority: "urgent" }],
    ["Pay bill p1", "Pay bill", { priority: "urgent" }],
    ["Pay bill p4", "Pay bill", { priority: "low" }],
    ["Pay !low bill !high", "Pay bill !high", { priority: "low" }],
    ["Fix tap #home #diy", "Fix tap", { tags: ["home", "diy"] }],
    ["Fix #håndverk/bad tap", "Fix tap", { tags: ["håndverk/bad"] }],
    [
      "Fly tomorrow at 9am remind me 30 min before",
      "Fly",
      { ...due(oslo("2026-11-24", "09:00")), reminders: [30] },
    ],
    ["Fly tomorrow *1d *2h", "Fly", { ...due("2026-11-24"), reminders: [1440, 120] }],
    ["Fly on friday with a reminder an hour before", "Fly", { ...due("2026-11-27"), reminders: [60] }],
    [
      "Pay rent tomorrow at 5pm !high #home *10m",
      "Pay rent",
      { ...due(oslo("2026-11-24", "17:00")), priority: "high", tags: ["home"], reminders: [10] },
    ],
  ])("%s", (...c) => check(c));
});

describe("recurrence", () => {
  test.each<Case>([
    ["Water plants every day", "Water plants", repeats("2026-11-23", "FREQ=DAILY")],
    ["Water plants daily", "Water plants", repeats("2026-11-23", "FREQ=DAILY")],
    ["Standup daily at 9:30", "Standup", repeats(oslo("2026-11-23", "09:30"), "FREQ=DAILY")],
    ["Standup every day at 7am", "Standup", repeats(oslo("2026-11-24", "07:00"), "FREQ=DAILY")],
    ["Pills every day with food", "Pills with food", repeats("2026-11-23", "FREQ=DAILY")],
    ["Water plants every 3 days", "Water plants", repeats("2026-11-23", "FREQ=DAILY;INTERVAL=3")],
    ["Water plants every other day", "Water plants", repeats("2026-11-23", "FREQ=DAILY;INTERVAL=2")],
    [
      "Water plants every! 3 days",
      "Water plants",
      repeats("2026-11-23", "FREQ=DAILY;INTERVAL=3", { anchor: "completion" }),
    ],
    [
      "Water plants every week after completion",
      "Water plants",
      repeats("2026-11-23", "FREQ=WEEKLY", { anchor: "completion" }),
    ],
    ["Bins every monday", "Bins", repeats("2026-11-23", "FREQ=WEEKLY;BYDAY=MO")],
    ["Bins every Tuesday in the yard", "Bins in the yard", repeats("2026-11-24", "FREQ=WEEKLY;BYDAY=TU")],
    ["Gym every mon, wed and fri", "Gym", repeats("2026-11-23", "FREQ=WEEKLY;BYDAY=MO,WE,FR")],
    ["Gym weekly on mon, wed", "Gym", repeats("2026-11-23", "FREQ=WEEKLY;BYDAY=MO,WE")],
    ["Bins every other friday", "Bins", repeats("2026-11-27", "FREQ=WEEKLY;INTERVAL=2;BYDAY=FR")],
    ["Bins every second friday", "Bins", repeats("2026-11-27", "FREQ=WEEKLY;INTERVAL=2;BYDAY=FR")],
    ["Bins every 2 weeks", "Bins", repeats("2026-11-23", "FREQ=WEEKLY;INTERVAL=2")],
    ["Bins every 2 weeks on friday", "Bins", repeats("2026-11-27", "FREQ=WEEKLY;INTERVAL=2;BYDAY=FR")],
    ["Bins every 2 weeks friday", "Bins", repeats("2026-11-27", "FREQ=WEEKLY;INTERVAL=2")],
    ["Journal every weekday", "Journal", repeats("2026-11-23", "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR")],
    ["Call home every weekend", "Call home", repeats("2026-11-28", "FREQ=WEEKLY;BYDAY=SA,SU")],
    ["Rent every month on the 15th", "Rent", repeats("2026-12-15", "FREQ=MONTHLY;BYMONTHDAY=15")],
    ["Rent monthly on the last day", "Rent", repeats("2026-11-30", "FREQ=MONTHLY;BYMONTHDAY=-1")],
    ["Rent every month on the 1st and 15th", "Rent", repeats("2026-12-01", "FREQ=MONTHLY;BYMONTHDAY=1,15")],
    ["Rent every 15th", "Rent", repeats("2026-12-15", "FREQ=MONTHLY;BYMONTHDAY=15")],
    ["Club every first monday", "Club", repeats("2026-12-07", "FREQ=MONTHLY;BYDAY=1MO")],
    ["Club every second tuesday of the month", "Club", repeats("2026-12-08", "FREQ=MONTHLY;BYDAY=2TU")],
    ["Club every month on the last friday", "Club", repeats("2026-11-27", "FREQ=MONTHLY;BYDAY=-1FR")],
    ["VAT quarterly", "VAT", repeats("2026-11-23", "FREQ=MONTHLY;INTERVAL=3")],
    ["Birthday every 27 november", "Birthday", repeats("2026-11-27", "FREQ=YEARLY;BYMONTH=11;BYMONTHDAY=27")],
    ["Birthday every year on 5 may", "Birthday", repeats("2027-05-05", "FREQ=YEARLY;BYMONTH=5;BYMONTHDAY=5")],
    ["Pills every day 10 times", "Pills", repeats("2026-11-23", "FREQ=DAILY;COUNT=10")],
    ["Pills every day until 20 dec", "Pills", repeats("2026-11-23", "FREQ=DAILY;UNTIL=20261220")],
    ["Gym every monday starting 7 dec", "Gym", repeats("2026-12-07", "FREQ=WEEKLY;BYDAY=MO")],
    [
      "Gym every mon at 18:00 #health *1h",
      "Gym",
      { ...repeats(oslo("2026-11-23", "18:00"), "FREQ=WEEKLY;BYDAY=MO"), tags: ["health"], reminders: [60] },
    ],
  ])("%s", (...c) => check(c));
});

describe("what is not meant stays text", () => {
  test.each([
    // Complaints of people elsewhere.
    "The 5th Wave", // vikunja#2195
    "Read The 5th Wave", // vikunja#2195
    "check money", // vikunja frontend#67: Monday
    "Buy paprika", // planify#2110: April
    "Buy paprika and marjoram",
    // Words that hold the names of days and months.
    "Satisfy the sunday-school board",
    "Wednesdayish plans",
    "Polish the marching band's decor",
    "Augment the Julia set",
    // Words of their own.
    "May I help",
    "Things that may happen",
    "Sit in the sun",
    "Buy cream for the sun",
    "The cat sat on the mat",
    "March to the capitol",
    "Walk in the march",
    "March 3 miles",
    "Room 3 may be closed",
    "Review may",
    "Plan for march",
    "Paint april",
    "Second opinion",
    // Names.
    "Watch Friday the 13th",
    "Friday Night Lights",
    "Sunday roast recipe",
    "Prepare Black Friday",
    "Explain Good Friday",
    "Plan the Taco Tuesday menu",
    "Read USA Today",
    "Watch Tomorrow Never Dies",
    "Watch The World of Tomorrow",
    "Around the World in 80 Days",
    "Every Day Is a Winding Road",
    "Listen to The Daily",
    // Possessives, and what it is about.
    "Send today's numbers",
    "Write up Friday's meeting",
    "Notes from friday",
    "Report of 3 january",
    "Fix the 27 nov invoice",
    "Compare with last monday",
    "Get off on the 5th floor",
    "Prepare weekly report",
    "Daily standup notes",
    "Make every day count",
    "Ride every 5th wave",
    "Free everyday carry",
    // Numbers.
    "Cut 3/4 of it",
    "Open 24/7 support",
    "Look at 9/11 memorial",
    "Upgrade to 1.2.2026-rc",
    "Read John 3:16",
    "Print in 16:9",
    "Work from 2pm to 3pm",
    "Work 9-10am",
    "Buy 5 am radios at 5 stores",
    "Bug 2026-02-30",
    "Meet at 25:00",
    "Open 2026-12-01.pdf",
    // Marks.
    "Close issue #12",
    "Use #1e90ff and #fff",
    "Learn C# well",
    "Wow !important",
    "Fix the p1 incident",
    "Fix P1",
    "Say *hello*",
    "Remind me to call mum",
    "Mail bob@5pm.example",
    "Drink every hour",
    "Pay *10m", // Nothing to count back from.
    "tomorrow",
    "#home !high",
    "every day",
  ])("%s", (text) => {
    expect(parse(text, options)).toEqual({ title: text, chips: [], task: {} });
  });
});

describe("quotes", () => {
  test.each<Case>([
    ['Read "The 5th Wave" tomorrow', "Read The 5th Wave", due("2026-11-24")], // vikunja#2392
    ['Watch "Friday" on friday', "Watch Friday", due("2026-11-27")],
    ["Watch “Next Friday”", "Watch Next Friday", {}],
    ['"tomorrow"', "tomorrow", {}],
    ['Buy 5" pipe and 7" pipe tomorrow', 'Buy 5" pipe and 7" pipe', due("2026-11-24")],
    ['Say "hi tomorrow', 'Say "hi', due("2026-11-24")],
    ['Keep "#home  !high" and "p1", #work', "Keep #home  !high and p1", { tags: ["work"] }],
    ['Empty "" quotes', 'Empty "" quotes', {}],
  ])("%s", (...c) => check(c));
});

describe("a chip turned back into text", () => {
  test("stays text, and nothing in it is understood another way", () => {
    const text = "Dentist next friday at 5pm";
    const [date] = parse(text, options).chips;
    expect(date).toMatchObject({ kind: "date", key: "next friday", label: "Fri 4 Dec" });
    const again = parse(text, { ...options, ignore: new Set(["next friday"]) });
    expect(again.title).toBe("Dentist next friday");
    expect(again.task).toEqual(due(oslo("2026-11-23", "17:00")));
  });
  test("leaves the others as they were", () => {
    const again = parse("Watch friday at 5pm #film", { ...options, ignore: new Set(["at 5pm"]) });
    expect(again.title).toBe("Watch at 5pm");
    expect(again.task).toEqual({ ...due("2026-11-27"), tags: ["film"] });
  });
  test("a rule leaves its weekday alone too", () => {
    const again = parse("Bins every friday", { ...options, ignore: new Set(["every friday"]) });
    expect(again).toEqual({ title: "Bins every friday", chips: [], task: {} });
  });
});

test("chips say what was understood", () => {
  const labels = (text: string) => parse(text, options).chips.map((c) => c.label);
  expect(labels("Gym every mon 18:00 #health !low *1h")).toEqual([
    "Every Monday, from Today",
    "18:00",
    "#health",
    "Low",
    "1 hour before",
  ]);
  expect(labels("Call 17:00")).toEqual(["Today 17:00"]);
  expect(labels("Water every! 3 days")).toEqual(["Every third day, from Today, after it is done"]);
});

test("a time without a day takes the day that the view gives it", () => {
  expect(parse("Call at 7am", { ...options, day: "2026-12-24" }).task.due_date).toBe(
    oslo("2026-12-24", "07:00"),
  );
  expect(parse("Bins every monday", { ...options, day: "2026-12-24" }).task.due_date).toBe("2026-12-28");
  expect(parse("Pay *10m", { ...options, day: "2026-12-24" }).task.reminders).toEqual([10]);
});

test("days are those of the user's zone", () => {
  const night = new Date("2026-11-23T23:30:00Z");
  const day = (zone: string) => parse("Call today", { now: night, zone }).task.due_date;
  expect([day("Europe/Oslo"), day("America/New_York")]).toEqual(["2026-11-24", "2026-11-23"]);
  expect(parse("Call 29 mar at 2:30", { now: options.now, zone: "Europe/Oslo" }).task.due_date).toBe(
    "2027-03-29T00:30:00.000Z",
  );
});

// A generator with a seed: the same lines in each run.
function* lines(n: number): Generator<string> {
  let seed = 7;
  const random = (below: number) => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return Math.floor((seed / 2 ** 32) * below);
  };
  // prettier-ignore
  const pieces = [
    "buy", "milk", "Tomorrow", "tomorrow", "next", "friday", "Fri", "sun", "may", "5", "5th", "the", "on", "by", "at", "5pm", "17:00", "25:61",
    "every", "every!", "other", "2", "days", "weeks", "monday,", "and", "until", "20 dec", "10 times", "daily", "weekly", "in", "an", "hour",
    "#home", "#", "!high", "!", "p1", "*10m", "*", "remind me", "30 min before", '"quoted on friday"', '"', "“fri”", "(", ")", "(tomorrow)", ",", ".", "-",
    "27/11", "3/4", "2026-12-01", "2026-13-01", "\t", "  ", "é", "日本語", "👩‍🚀", "\ue000", "\ue001", "<b>x</b>", "$&", "\\", "0", "99999", "29 feb", "of the month",
  ];
  for (let i = 0; i < n; i++) {
    let line = "";
    for (let words = random(12); words >= 0; words--) {
      line += (pieces[random(pieces.length)] ?? "") + (random(8) === 0 ? "" : " ");
    }
    yield line;
  }
}

test(
  "whatever is typed, the title is a part of it, is there, and keeps what is quoted",
  { timeout: 60_000 },
  () => {
    for (const line of lines(3000)) {
      const { title, chips, task } = parse(line, options);
      expect(title.length, line).toBeLessThanOrEqual(line.length);
      expect(title === "", JSON.stringify(line)).toBe(line.trim() === "");
      expect(title, line).toBe(title.trim());
      if (!/[\ue000\ue001]/.test(line)) {
        // A quote opens before a word and closes after one.
        for (const quoted of line.matchAll(/(?<=^|\s)"(quoted on friday)"(?=\s|$)/g)) {
          const opensBefore = (line.slice(0, quoted.index).match(/"/g) ?? []).length % 2 === 0;
          if (opensBefore) expect(title, line).toContain("quoted on friday");
        }
      }
      for (const [i, chip] of chips.entries()) {
        const next = chips[i + 1];
        if (next) expect(chip.end, line).toBeLessThanOrEqual(next.start);
      }
      if (task.due_date) expect(Number.isNaN(Date.parse(task.due_date)), line).toBe(false);
      // What was turned back into text is understood as nothing.
      const ignore = new Set(chips.map((c) => c.key));
      const again = parse(line, { ...options, ignore });
      expect(
        again.chips.filter((c) => ignore.has(c.key)),
        line,
      ).toEqual([]);
    }
  },
);
