// What the editor shows of a rule. A rule that says more than that is shown as text and left as it is.

import { type Day, isDay } from "@/lib/time/clock";

import { type Frequency, dayCodes, readRule } from "./rule";

/** Which days of a month or a year. */
export type On =
  /** The day it begins on. */
  | { by: "start" }
  /** Days of the month, 1 to 31, or -1 for the last. In a year: of that month. */
  | { by: "day"; days: number[] }
  /** The first to fifth, or with -1 the last, weekday of the month. */
  | { by: "weekday"; n: number; weekday: number };

export type Ends = { by: "never" } | { by: "count"; count: number } | { by: "day"; until: Day };

export type Form = {
  every: Frequency;
  interval: number;
  /** Of a week, from Monday, 0; none for the day it begins on. */
  weekdays: number[];
  on: On;
  /** Of a year, 1 to 12; null for the month it begins in. */
  month: number | null;
  ends: Ends;
};

/** Once a period, from the day it begins on, without an end. */
export function plainForm(every: Frequency, interval = 1): Form {
  return { every, interval, weekdays: [], on: { by: "start" }, month: null, ends: { by: "never" } };
}

const frequencies = { day: "DAILY", week: "WEEKLY", month: "MONTHLY", year: "YEARLY" } as const;

const codesOf = (days: number[]) => days.map((day) => dayCodes[day] ?? "").join(",");

/** The rule as the server keeps it. */
export function ruleOf(form: Form): string {
  const parts = [`FREQ=${frequencies[form.every]}`];
  if (form.interval > 1) parts.push(`INTERVAL=${form.interval}`);
  if (form.every === "week" && form.weekdays.length > 0) {
    parts.push(`BYDAY=${codesOf([...form.weekdays].sort((a, b) => a - b))}`);
  }
  if (form.every === "year" && form.month) parts.push(`BYMONTH=${form.month}`);
  if (form.every === "month" || form.every === "year") {
    if (form.on.by === "day" && form.on.days.length > 0) parts.push(`BYMONTHDAY=${form.on.days.join(",")}`);
    if (form.on.by === "weekday") parts.push(`BYDAY=${form.on.n}${codesOf([form.on.weekday])}`);
  }
  if (form.ends.by === "count") parts.push(`COUNT=${form.ends.count}`);
  if (form.ends.by === "day") parts.push(`UNTIL=${form.ends.until.replaceAll("-", "")}`);
  return parts.join(";");
}

/** What the editor shows of a rule; null if the rule says more, or cannot be read. */
export function formOf(text: string): Form | null {
  const rule = readRule(text);
  if (!rule || rule.yearDays.length + rule.weeks.length + rule.positions.length > 0) return null;
  // Weeks that begin on another day than Monday make a difference to some rules.
  if (rule.weekStart && rule.weekStart !== "MO") return null;
  const form = plainForm(rule.every, rule.interval);
  if (rule.count && rule.until) return null;
  if (rule.count) form.ends = { by: "count", count: rule.count };
  if (rule.until) {
    const until = rule.until.replace(/^(\d{4})(\d{2})(\d{2})$/, "$1-$2-$3");
    if (!isDay(until)) return null;
    form.ends = { by: "day", until };
  }
  const { weekdays, monthDays, months } = rule;
  const [month, ...moreMonths] = months;
  if (month && (form.every !== "year" || moreMonths.length > 0)) return null;
  form.month = month ?? null;
  switch (form.every) {
    case "day":
      return weekdays.length + monthDays.length > 0 ? null : form;
    case "week":
      if (monthDays.length > 0 || weekdays.some((d) => d.n !== 0)) return null;
      form.weekdays = weekdays.map((d) => d.day);
      return form;
    case "month":
    case "year": {
      const [weekday, ...moreWeekdays] = weekdays;
      // Without its month a day of a year's is one of every month, or the year's second Monday.
      if (form.every === "year" && !month && weekdays.length + monthDays.length > 0) return null;
      if (weekday) {
        const shown = (weekday.n >= 1 && weekday.n <= 5) || weekday.n === -1;
        if (!shown || moreWeekdays.length + monthDays.length > 0) return null;
        form.on = { by: "weekday", n: weekday.n, weekday: weekday.day };
      } else if (monthDays.length > 0) {
        if (monthDays.some((day) => day < -1) || (form.every === "year" && monthDays.length > 1)) return null;
        form.on = { by: "day", days: monthDays };
      }
      return form;
    }
  }
}

/** What is wrong with it and can be said without asking the server; null if nothing is. */
export function formError(form: Form): string | null {
  if (!Number.isInteger(form.interval) || form.interval < 1 || form.interval > 1000) {
    return "Repeat every 1 to 1000.";
  }
  if (form.ends.by === "count" && !(form.ends.count >= 1 && form.ends.count <= 10_000)) {
    return "End after 1 to 10000 times.";
  }
  if (form.ends.by === "day" && !isDay(form.ends.until)) return "Choose the last day.";
  if (form.every === "month" && form.on.by === "day" && form.on.days.length === 0) {
    return "Choose a day of the month.";
  }
  return null;
}
