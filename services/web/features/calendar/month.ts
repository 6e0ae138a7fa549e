import { type Day, addDays, addMonths, daysBetween, isDay, monthOf, weekdayOf } from "@/lib/time/clock";

/** A month, "2026-12". */
export type Month = string;

export const monthOfDay = (day: Day): Month => day.slice(0, 7);
export const firstOf = (month: Month): Day => `${month}-01`;
export const lastOf = (month: Month): Day => addDays(addMonths(firstOf(month), 1), -1);

/** The month an address names; null if it names none. */
export function monthNamed(text: string | null): Month | null {
  return text !== null && /^\d{4}-\d{2}$/.test(text) && isDay(`${text}-01`) ? text : null;
}

/** "November 2026" */
export function monthTitle(month: Month): string {
  return `${monthOf(firstOf(month))} ${Number(month.slice(0, 4))}`;
}

/** The first day of a day's week, if weeks begin on a weekday (0 for Monday). */
export function weekStart(day: Day, begins: number): Day {
  return addDays(day, -((weekdayOf(day) - begins + 7) % 7));
}

/** The whole weeks that a month touches. */
export function weeksOf(month: Month, begins: number): Day[][] {
  const start = weekStart(firstOf(month), begins);
  const weeks = Math.floor(daysBetween(start, lastOf(month)) / 7) + 1;
  return Array.from({ length: weeks }, (_, w) =>
    Array.from({ length: 7 }, (_, d) => addDays(start, 7 * w + d)),
  );
}

/** Where a key leads in the grid; null if it leads nowhere. */
export function step(day: Day, key: string, begins: number): Day | null {
  switch (key) {
    case "ArrowLeft":
      return addDays(day, -1);
    case "ArrowRight":
      return addDays(day, 1);
    case "ArrowUp":
      return addDays(day, -7);
    case "ArrowDown":
      return addDays(day, 7);
    case "Home":
      return weekStart(day, begins);
    case "End":
      return addDays(weekStart(day, begins), 6);
    case "PageUp":
      return addMonths(day, -1);
    case "PageDown":
      return addMonths(day, 1);
    default:
      return null;
  }
}
