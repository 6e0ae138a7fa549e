import { type Form, formError, plainForm, ruleOf } from "@/features/recurrence/form";
import { type Day, addDays, weekdayOf } from "@/lib/time/clock";

import { datesIn } from "./dates";
import { type Source, type Span, isPlain, matchAt, wordStarts, words } from "./source";
import {
  monthNamed,
  monthPattern,
  numberNamed,
  numberPattern,
  rankNamed,
  rankPattern,
  weekdayNamed,
  weekdaysPattern,
} from "./words";

export type RepeatFound = Span & {
  form: Form;
  rule: string;
  fromCompletion: boolean;
  /** It depends on where it stands whether it is meant. */
  how: "sure" | "bare";
  /** It is a word such as "daily", which is more often an adjective. */
  adverb: boolean;
};

type Clock = { now: Date; zone: string; today: Day };

const and = "(?:\\s*,\\s*(?:and\\s+)?|\\s+and\\s+|\\s*[/&]\\s*)";
const dayList = `${weekdaysPattern}(?:${and}${weekdaysPattern})*`;
const nth = "\\d{1,2}(?:st|nd|rd|th)";
const nthList = `${nth}(?:${and}(?:the\\s+)?${nth})*`;
const date = `(?:\\d{1,2}(?:st|nd|rd|th)?\\s+(?:of\\s+)?${monthPattern}|${monthPattern}\\s+\\d{1,2}(?:st|nd|rd|th)?)`;
const ofMonth = "(?:\\s+(?:day\\s+)?of\\s+(?:the|each|every)\\s+month)";
const onWeek = `(?:\\s+on\\s+(?<onDays>${dayList}))?`;
const onMonth = `(?:\\s+on\\s+(?:the\\s+)?(?:(?<onNth>${nthList})|(?<onLast>last\\s+day)|(?<onRank>${rankPattern})\\s+(?<onRankDay>${weekdaysPattern})))?`;
const onYear = `(?:\\s+on\\s+(?:the\\s+)?(?<onDate>${date}))?`;
const tail = "(?<done>\\s+(?:after|from)\\s+completion)?(?:(?:\\s+for)?\\s+(?<times>\\d{1,5})\\s+times)?";

const other = "other|second|third|fourth|2nd|3rd|4th";
const every = "every(?<bang>!)?\\s+";
const everyUnit = (units: string, on = "") =>
  words(`${every}(?:(?<n>${numberPattern}|${other})\\s+)?(?<unit>${units})s?${on}${tail}`);

// In this order the first that matches says the most.
const patterns = [
  everyUnit("day"),
  everyUnit("week", onWeek),
  everyUnit("month|quarter", onMonth),
  everyUnit("year", onYear),
  words(`${every}(?<kind>weekday|workday|working\\s+day|business\\s+day|weekend)s?${tail}`),
  words(`${every}(?<onRank>${rankPattern})\\s+(?<onRankDay>${weekdaysPattern})${ofMonth}${tail}`),
  words(`${every}(?<onLast>last\\s+day)\\s+of\\s+(?:the|each|every)\\s+month${tail}`),
  // The first Monday is a month's; every second Monday comes after two weeks.
  words(`${every}(?<onRank>first|1st|last)\\s+(?<onRankDay>${weekdaysPattern})${tail}`),
  words(`${every}(?:(?<n>${other})\\s+)?(?<onDays>${dayList})${tail}`),
  words(`${every}(?<onDate>${date})${tail}`),
  words(`${every}(?<onNth>${nthList})(?<ofMonth>${ofMonth})?${tail}`),
  words(`(?<adverb>daily)${tail}`),
  words(`(?<adverb>weekly|fortnightly)${onWeek}${tail}`),
  words(`(?<adverb>monthly|quarterly)${onMonth}${tail}`),
  words(`(?<adverb>yearly|annually)${onYear}${tail}`),
];

/** Every rule in the text, whether it is meant as one or not. */
export function repeatsIn(source: Source, clock: Clock): RepeatFound[] {
  const found: RepeatFound[] = [];
  for (const at of wordStarts(source.text)) {
    if (found.some((f) => f.end > at)) continue;
    const first = source.text.charAt(at).toLowerCase();
    // Every rule begins with one of these: every, daily, weekly, fortnightly, monthly, quarterly, yearly, annually.
    if (!"edwfmqya".includes(first)) continue;
    for (const pattern of patterns) {
      const m = matchAt(pattern, source.text, at);
      const repeat = m && repeatOf(m, at, source, clock);
      if (repeat) {
        found.push(repeat);
        break;
      }
    }
  }
  return found;
}

const steps: Record<string, number> = {
  other: 2,
  second: 2,
  third: 3,
  fourth: 4,
  "2nd": 2,
  "3rd": 3,
  "4th": 4,
};

function repeatOf(m: RegExpExecArray, at: number, source: Source, clock: Clock): RepeatFound | null {
  const said = m.groups ?? {};
  const name = said["adverb"] ?? "every";
  const first = source.text.slice(at, at + name.length);
  if (!isPlain(first, at, source)) return null;
  // "Every Day Is Mother's Day"; weekdays and months have capitals of their own.
  for (const part of ["unit", "kind", "n"]) {
    const word = said[part];
    if (word && !source.loud && word !== word.toLowerCase()) return null;
  }
  const form = formSaid(said);
  if (!form || formError(form)) return null;
  if (said["times"]) form.ends = { by: "count", count: Number(said["times"]) };
  let end = at + m[0].length;
  if (!said["times"]) {
    const until = untilAfter(source, end, clock);
    if (until) {
      form.ends = { by: "day", until: until.day };
      end = until.end;
    }
  }
  if (formError(form)) return null;
  const plain =
    !said["n"] && !said["onDays"] && !said["onNth"] && !said["onRank"] && !said["onLast"] && !said["onDate"];
  const loose = plain && (said["unit"] || said["adverb"]) && !said["bang"] && !said["done"];
  // "Every 5th wave"
  const ordinal = name === "every" && said["onNth"] && !said["unit"] && !said["ofMonth"];
  return {
    start: at,
    end,
    form,
    rule: ruleOf(form),
    fromCompletion: Boolean(said["bang"] || said["done"]),
    how: (loose || ordinal) && form.ends.by === "never" ? "bare" : "sure",
    adverb: Boolean(said["adverb"]),
  };
}

/** " until 20 dec" behind a rule. */
function untilAfter(source: Source, from: number, clock: Clock): { day: Day; end: number } | null {
  const m = /^\s+until\s+/i.exec(source.text.slice(from));
  if (!m) return null;
  const start = from + m[0].length;
  const rest = { ...source, text: " ".repeat(start) + source.text.slice(start) };
  const date = datesIn(rest, clock).find((d) => d.start === start);
  return date ? { day: date.day, end: date.end } : null;
}

function formSaid(said: Record<string, string | undefined>): Form | null {
  const n = (said["n"] ?? "1").toLowerCase();
  const interval = steps[n] ?? numberNamed(n);
  switch (said["adverb"]?.toLowerCase()) {
    case "daily":
      return plainForm("day");
    case "weekly":
      return onDays(plainForm("week"), said);
    case "fortnightly":
      return onDays(plainForm("week", 2), said);
    case "monthly":
      return onMonthDay(plainForm("month"), said);
    case "quarterly":
      return onMonthDay(plainForm("month", 3), said);
    case "yearly":
    case "annually":
      return onYearDay(plainForm("year"), said);
  }
  switch (said["unit"]?.toLowerCase()) {
    case "day":
      return plainForm("day", interval);
    case "week":
      return onDays(plainForm("week", interval), said);
    case "month":
      return onMonthDay(plainForm("month", interval), said);
    case "quarter":
      return onMonthDay(plainForm("month", 3 * interval), said);
    case "year":
      return onYearDay(plainForm("year", interval), said);
  }
  if (said["kind"]) {
    const weekend = said["kind"].toLowerCase() === "weekend";
    return { ...plainForm("week"), weekdays: weekend ? [5, 6] : [0, 1, 2, 3, 4] };
  }
  if (said["onDate"]) return onYearDay(plainForm("year"), said);
  if (said["onDays"]) {
    return { ...plainForm("week", interval), weekdays: weekdaysSaid(said["onDays"]) };
  }
  return onMonthDay(plainForm("month"), said);
}

const weekdaysSaid = (text: string) =>
  [...new Set(text.split(/[^a-z]+/i).map(weekdayNamed))].filter((day) => day >= 0).sort((a, b) => a - b);

function onDays(form: Form, said: Record<string, string | undefined>): Form {
  return said["onDays"] ? { ...form, weekdays: weekdaysSaid(said["onDays"]) } : form;
}

function onMonthDay(form: Form, said: Record<string, string | undefined>): Form | null {
  if (said["onLast"]) return { ...form, on: { by: "day", days: [-1] } };
  if (said["onNth"]) {
    const days = (said["onNth"].match(/\d+/g) ?? []).map(Number);
    if (days.some((day) => day < 1 || day > 31)) return null;
    return { ...form, on: { by: "day", days: [...new Set(days)].sort((a, b) => a - b) } };
  }
  if (said["onRank"] && said["onRankDay"]) {
    const weekday = weekdayNamed(said["onRankDay"]);
    return { ...form, on: { by: "weekday", n: rankNamed(said["onRank"]), weekday } };
  }
  return form;
}

const longest = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

function onYearDay(form: Form, said: Record<string, string | undefined>): Form | null {
  if (!said["onDate"]) return form;
  const day = Number(/\d+/.exec(said["onDate"])?.[0] ?? 0);
  const month = said["onDate"]
    .split(/[^a-z]+/i)
    .map(monthNamed)
    .find((n) => n > 0);
  if (!month || day < 1 || day > (longest[month - 1] ?? 0)) return null;
  return { ...form, month, on: { by: "day", days: [day] } };
}

/** The first day from one on that a rule selects: where a task begins that has it and no date. */
export function firstDay(form: Form, from: Day): Day {
  // The 29th of February, of a leap year.
  for (let n = 0; n <= 8 * 366; n++) {
    const day = addDays(from, n);
    if (selects(form, day)) return day;
  }
  return from;
}

function selects(form: Form, day: Day): boolean {
  if (form.every === "week") return form.weekdays.length === 0 || form.weekdays.includes(weekdayOf(day));
  if (form.month && Number(day.slice(5, 7)) !== form.month) return false;
  const date = Number(day.slice(8));
  const last = addDays(day, 1).endsWith("-01");
  switch (form.on.by) {
    case "start":
      return true;
    case "day":
      return form.on.days.includes(date) || (last && form.on.days.includes(-1));
    case "weekday":
      if (weekdayOf(day) !== form.on.weekday) return false;
      return form.on.n === -1
        ? addDays(day, 7).slice(0, 7) !== day.slice(0, 7)
        : Math.ceil(date / 7) === form.on.n;
  }
}
