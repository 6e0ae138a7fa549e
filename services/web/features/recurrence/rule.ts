// Rules as the server keeps them (RFC 5545, section 3.3.10), taken apart. What a rule may be is the server's to say: here
// only what is read is checked.

export type Frequency = "day" | "week" | "month" | "year";

/** A weekday from Monday, 0, and which of the period's it is, from its end if negative; 0 for all. */
export type RuleDay = { n: number; day: number };

export type Rule = {
  every: Frequency;
  interval: number;
  count: number | null;
  /** As it is written: 20261225, 20261225T170000 or 20261225T170000Z. */
  until: string | null;
  weekStart: string | null;
  weekdays: RuleDay[];
  monthDays: number[];
  months: number[];
  yearDays: number[];
  weeks: number[];
  positions: number[];
};

export const dayCodes = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"] as const;
const frequencies: Record<string, Frequency> = {
  DAILY: "day",
  WEEKLY: "week",
  MONTHLY: "month",
  YEARLY: "year",
};

const lists = {
  BYMONTHDAY: "monthDays",
  BYMONTH: "months",
  BYYEARDAY: "yearDays",
  BYWEEKNO: "weeks",
  BYSETPOS: "positions",
} as const;

// Numbers that count from the end stand behind those that count from the front.
const fromFront = (n: number) => (n < 0 ? n + 10_000 : n);

/** The parts of a rule; null for what cannot be read. "daily", "weekly" and "monthly" are short for the plain rules. */
export function readRule(text: string): Rule | null {
  let plain = text
    .trim()
    .toUpperCase()
    .replace(/^RRULE:/, "");
  if (/^(DAILY|WEEKLY|MONTHLY)$/.test(plain)) plain = `FREQ=${plain}`;
  const parts = new Map<string, string>();
  for (const part of plain.split(";")) {
    const [name = "", value = "", more] = part.split("=");
    if (!name || !value || more !== undefined || parts.has(name)) return null;
    parts.set(name, value);
  }
  const every = frequencies[parts.get("FREQ") ?? ""];
  if (!every) return null;
  parts.delete("FREQ");
  const rule: Rule = {
    every,
    interval: 1,
    count: null,
    until: null,
    weekStart: null,
    weekdays: [],
    monthDays: [],
    months: [],
    yearDays: [],
    weeks: [],
    positions: [],
  };
  for (const [name, value] of parts) {
    if (name in lists) {
      const numbers = value.split(",").map(Number);
      if (numbers.some((n) => !Number.isInteger(n) || n === 0)) return null;
      rule[lists[name as keyof typeof lists]] = [...new Set(numbers)].sort(
        (a, b) => fromFront(a) - fromFront(b),
      );
    } else if (name === "INTERVAL" || name === "COUNT") {
      if (!/^\d{1,5}$/.test(value) || Number(value) === 0) return null;
      if (name === "INTERVAL") rule.interval = Number(value);
      else rule.count = Number(value);
    } else if (name === "UNTIL") {
      if (!/^\d{8}(T\d{6}Z?)?$/.test(value)) return null;
      rule.until = value;
    } else if (name === "WKST") {
      rule.weekStart = value;
    } else if (name === "BYDAY") {
      for (const code of value.split(",")) {
        const found = /^([+-]?\d{1,2})?(MO|TU|WE|TH|FR|SA|SU)$/.exec(code);
        if (!found) return null;
        const day = {
          n: Number(found[1] ?? 0),
          day: dayCodes.indexOf(found[2] as (typeof dayCodes)[number]),
        };
        if (!rule.weekdays.some((d) => d.n === day.n && d.day === day.day)) rule.weekdays.push(day);
      }
      rule.weekdays.sort((a, b) => fromFront(a.n) - fromFront(b.n) || a.day - b.day);
    } else {
      return null;
    }
  }
  return rule;
}
