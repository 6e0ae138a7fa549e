// What a task's due date means in its owner's zone: an instant ("2026-12-01T16:00:00Z"), or a whole day ("2026-12-01").

import {
  type Day,
  type Time,
  addDays,
  clockAt,
  daysBetween,
  instantOf,
  isDay,
  monthOf,
  weekdayOf,
  weekdays,
} from "./clock";

export { type Day, type Time, addDays };

/** The day it is in the zone. */
export function today(zone: string, now: Date = new Date()): Day {
  return clockAt(now.getTime(), zone).day;
}

/** Whether it is a day and not an instant. */
export function isWholeDay(due: string): boolean {
  return isDay(due);
}

/** The day something is due in the zone; null if it is not, or if the text is no due date. */
export function dueDay(due: string | null, zone: string): Day | null {
  if (due === null) return null;
  if (isDay(due)) return due;
  const instant = Date.parse(due);
  return Number.isNaN(instant) ? null : clockAt(instant, zone).day;
}

/** The clock time something is due in the zone; null if it is not due, or all day. */
export function dueTime(due: string | null, zone: string): Time | null {
  if (due === null || isDay(due)) return null;
  const instant = Date.parse(due);
  return Number.isNaN(instant) ? null : clockAt(instant, zone).time;
}

/** Whether its instant, or its whole day in the zone, is over. */
export function isOverdue(due: string | null, zone: string, now: Date): boolean {
  if (due === null) return false;
  if (isDay(due)) return due < today(zone, now);
  return Date.parse(due) < now.getTime();
}

/** A day as one says it on another: "Today", "Tomorrow", "Yesterday", "Fri 27 Nov", "27 Nov 2027". */
export function formatDay(day: Day, from: Day): string {
  switch (daysBetween(from, day)) {
    case 0:
      return "Today";
    case 1:
      return "Tomorrow";
    case -1:
      return "Yesterday";
  }
  const short = `${Number(day.slice(8))} ${monthOf(day).slice(0, 3)}`;
  if (day.slice(0, 4) !== from.slice(0, 4)) return `${short} ${Number(day.slice(0, 4))}`;
  return `${(weekdays[weekdayOf(day)] ?? "").slice(0, 3)} ${short}`;
}

/** A day in full: "Friday 27 November 2026". */
export function fullDay(day: Day): string {
  return `${weekdays[weekdayOf(day)]} ${Number(day.slice(8))} ${monthOf(day)} ${Number(day.slice(0, 4))}`;
}

/** "Today 17:00", "Tomorrow", "Fri 27 Nov", "27 Nov 2027"; nothing if it is not due. */
export function formatDue(due: string | null, zone: string, now: Date): string {
  const day = dueDay(due, zone);
  if (day === null) return "";
  const time = dueTime(due, zone);
  return formatDay(day, today(zone, now)) + (time ? ` ${time}` : "");
}

/** The instant at which the clocks of the zone show the time, as RFC 3339. */
export function at(day: Day, time: Time, zone: string): string {
  return new Date(instantOf(day, time, zone)).toISOString();
}

/** The same due date on another day: its clock time stays, and a whole day stays one. */
export function moveTo(due: string | null, day: Day, zone: string): string {
  const time = dueTime(due, zone);
  return time ? at(day, time, zone) : day;
}
