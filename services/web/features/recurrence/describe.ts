// Rules in plain English, in the same words as the server's (pkg/recurrence), which knows the time and the zone besides.

import { type Day, months, weekdayOf, weekdays } from "@/lib/time/clock";

import { type Rule, type RuleDay, readRule } from "./rule";

type Options = {
  /** What the rule takes its day from if it names none: then the sentence names it. */
  start?: Day | null;
  /** It counts from the day it was done. */
  fromCompletion?: boolean;
};

/** "Every second Tuesday, 10 times"; a rule that cannot be read as it is. */
export function describe(rule: string, { start = null, fromCompletion = false }: Options = {}): string {
  const read = readRule(rule);
  if (!read) return rule;
  let said = pattern(read, fromCompletion ? null : start);
  if (read.positions.length > 0) {
    said += `, only the ${list(read.positions.map(rankFromEnd))} in each ${read.every}`;
  }
  if (read.count === 1) said += ", once";
  else if (read.count) said += `, ${read.count} times`;
  else if (read.until) said += `, until ${untilInWords(read.until)}`;
  if (fromCompletion) said += ", counted from the day it is done";
  return said.charAt(0).toUpperCase() + said.slice(1);
}

function untilInWords(until: string): string {
  // Its clock time is UTC's or of an unknown zone: the day is what is asked for.
  return `${Number(until.slice(6, 8))} ${monthName(Number(until.slice(4, 6)))} ${Number(until.slice(0, 4))}`;
}

function pattern(rule: Rule, start: Day | null): string {
  if (rule.every === "week" && rule.positions.length === 0 && rule.months.length === 0) {
    let days = rule.weekdays;
    if (days.length === 0 && start) days = [{ n: 0, day: weekdayOf(start) }];
    const [only] = days;
    if (only && days.length === 1) return every(rule.interval, weekdayName(only.day));
    if (rule.interval === 1 && days.length === 7) return "every day";
    if (rule.interval === 1 && isWorkWeek(days)) return "every weekday";
    if (rule.interval === 1 && days.length > 0) return `every ${weekdayList(days, "")}`;
  }
  const [days, note] = daysInWords(rule, start);
  return every(rule.interval, rule.every) + (days && ` ${days}`) + note;
}

const skipsMonths = ", skipping months without it";
const skipsYears = ", skipping years without it";

/** Which days of a period, and what is noted behind. */
function daysInWords(rule: Rule, start: Day | null): [said: string, note: string] {
  const { every: unit, weekdays: days, monthDays, months: inMonths, yearDays, weeks } = rule;
  const onlyMonth = inMonths.length === 1 ? inMonths[0] : undefined;
  const onlyDay = monthDays.length === 1 ? monthDays[0] : undefined;
  const noOther = days.length + yearDays.length + weeks.length === 0;
  if (unit === "year" && onlyMonth && onlyDay && onlyDay > 0 && noOther) return yearDate(onlyMonth, onlyDay);
  let note = "";
  let during = inMonths.length > 0 ? ` in ${list(inMonths.map(monthName))}` : "";
  const parts: string[] = [];
  if (monthDays.length > 0) {
    parts.push(`on the ${dayList(monthDays)}`);
    if (unit === "year" && !during) during = " of every month";
    if (onlyDay && onlyDay > 28 && unit !== "day" && days.length === 0) note = skipsMonths;
  }
  if (yearDays.length > 0) parts.push(`on the ${dayList(yearDays)} of the year`);
  if (days.length > 0) {
    parts.push(parts.length > 0 ? `if it is ${weekdayChoice(days)}` : `on ${weekdayList(days, "the")}`);
  }
  if (weeks.length > 0) {
    parts.push(`in ${list(weeks.map((n) => (n > 0 ? `week ${n}` : `the ${rankFromEnd(n)} week`)))}`);
  }
  if (parts.length === 0 && start) {
    const [said, noted] = startInWords(rule, start);
    parts.push(said);
    note = noted;
  }
  return [(parts.join(" ") + during).trim(), note];
}

function startInWords(rule: Rule, start: Day): [said: string, note: string] {
  const day = Number(start.slice(8));
  if (rule.every === "week") return [`on ${weekdayName(weekdayOf(start))}`, ""];
  if (rule.every === "month" || (rule.every === "year" && rule.months.length > 0)) {
    return [`on the ${dayName(day)}`, day > 28 ? skipsMonths : ""];
  }
  if (rule.every === "year") return yearDate(Number(start.slice(5, 7)), day);
  return ["", ""];
}

function yearDate(month: number, day: number): [said: string, note: string] {
  return [`on ${day} ${monthName(month)}`, month === 2 && day === 29 ? skipsYears : ""];
}

function every(interval: number, what: string): string {
  return interval === 1 ? `every ${what}` : `every ${rank(interval)} ${what}`;
}

const monthName = (month: number) => months[month - 1] ?? "";
const weekdayName = (day: number) => weekdays[day] ?? "";

function isWorkWeek(days: RuleDay[]): boolean {
  return days.length === 5 && days.every(({ n, day }, i) => n === 0 && day === i);
}

const withNumber = (day: RuleDay, article: string) =>
  day.n === 0 ? weekdayName(day.day) : `${article} ${rankFromEnd(day.n)} ${weekdayName(day.day)}`.trim();

function weekdayList(days: RuleDay[], article: string): string {
  return isWorkWeek(days) ? "Monday to Friday" : list(days.map((day) => withNumber(day, article)));
}

function weekdayChoice(days: RuleDay[]): string {
  const names = days.map((day) => (day.n === 0 ? `a ${weekdayName(day.day)}` : withNumber(day, "the")));
  return list(names).replaceAll(" and ", " or ");
}

const dayName = (n: number) => (n < 0 ? `${rankFromEnd(n)} day` : ordinal(n));

function dayList(days: number[]): string {
  const names = days.map(dayName);
  const last = names.pop() ?? "";
  return names.length > 0 ? `${names.join(", ")} and the ${last}` : last;
}

function rankFromEnd(n: number): string {
  if (n === -1) return "last";
  return n < 0 ? `${rank(-n)} to last` : rank(n);
}

// prettier-ignore
const ranks = ["first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth"];

const rank = (n: number) => ranks[n - 1] ?? ordinal(n);

/** "1st", "2nd", "13th". */
export function ordinal(n: number): string {
  const teens = Math.floor(n / 10) % 10 === 1;
  return n + (teens ? "th" : (["th", "st", "nd", "rd"][n % 10] ?? "th"));
}

/** "a", "a and b", "a, b and c". */
export function list(names: string[]): string {
  if (names.length < 2) return names.join("");
  return `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}
