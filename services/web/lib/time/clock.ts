// Days and clock times of a time zone, by the zones the browser knows. Temporal would say the same for 20 KB more.

/** A calendar day, "2026-12-01". Days compare as text. */
export type Day = string;
/** What a clock shows, "17:00". */
export type Time = string;

const dayMs = 86_400_000;
const formats = new Map<string, Intl.DateTimeFormat>();

// Making a format takes a hundred times as long as using it.
function formatOf(zone: string): Intl.DateTimeFormat {
  let format = formats.get(zone);
  if (!format) {
    format = new Intl.DateTimeFormat("en-US", {
      timeZone: zone,
      hourCycle: "h23",
      era: "short",
      year: "numeric",
      month: "2-digit",
      day: "2-digit",
      hour: "2-digit",
      minute: "2-digit",
      second: "2-digit",
    });
    formats.set(zone, format);
  }
  return format;
}

/** What the clocks of the zone show at an instant, in milliseconds as if it were UTC. */
function wallAt(instant: number, zone: string): number {
  let [year, month, day, hour, minute, second] = [0, 1, 1, 0, 0, 0];
  let before = false;
  for (const { type, value } of formatOf(zone).formatToParts(instant)) {
    if (type === "year") year = Number(value);
    else if (type === "month") month = Number(value);
    else if (type === "day") day = Number(value);
    else if (type === "hour") hour = Number(value);
    else if (type === "minute") minute = Number(value);
    else if (type === "second") second = Number(value);
    else if (type === "era") before = value.startsWith("B");
  }
  return utc(before ? 1 - year : year, month, day) + ((hour * 60 + minute) * 60 + second) * 1000;
}

// Date.UTC takes the years up to 99 for the twentieth century's.
function utc(year: number, month: number, day: number): number {
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  return date.getTime();
}

/**
 * The instant at which the clocks of the zone show a time, in milliseconds. A time that they jump over moves forward by the
 * gap; of a time they show twice it is the first.
 */
export function instantOf(day: Day, time: Time, zone: string): number {
  const [hour = 0, minute = 0] = time.split(":").map(Number);
  const wall = startOf(day) + (hour * 60 + minute) * 60_000;
  // No zone is a day or more off, so the change that matters, if there is one, lies between these two.
  const before = wallAt(wall - dayMs, zone) - (wall - dayMs);
  const after = wallAt(wall + dayMs, zone) - (wall + dayMs);
  const shows = [wall - before, wall - after].filter((instant) => wallAt(instant, zone) === wall);
  return shows.length > 0 ? Math.min(...shows) : wall - before;
}

/** The day and the time that the clocks of the zone show. */
export function clockAt(instant: number, zone: string): { day: Day; time: Time } {
  const shown = new Date(wallAt(instant, zone)).toISOString();
  return { day: shown.slice(0, 10), time: shown.slice(11, 16) };
}

/** Midnight of the day in milliseconds, as if it were UTC; NaN if there is no such day. */
export function startOf(day: Day): number {
  const [year, month, date] = day.split("-").map(Number);
  if (year === undefined || month === undefined || date === undefined) return NaN;
  return utc(year, month, date);
}

function dayOf(start: number): Day {
  return new Date(start).toISOString().slice(0, 10);
}

/** Whether the text is a day of the calendar, from the year 1 to 9999. */
export function isDay(text: string): text is Day {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text) || text < "0001") return false;
  const start = startOf(text);
  return Number.isFinite(start) && dayOf(start) === text;
}

export function addDays(day: Day, n: number): Day {
  return dayOf(startOf(day) + n * dayMs);
}

/** The same day n months later; the last of a shorter month. */
export function addMonths(day: Day, n: number): Day {
  const [year = 0, month = 1, date = 1] = day.split("-").map(Number);
  const first = utc(year, month + n, 1);
  const last = new Date(first);
  last.setUTCMonth(last.getUTCMonth() + 1, 0);
  return dayOf(first + (Math.min(date, last.getUTCDate()) - 1) * dayMs);
}

/** The days from one to another; negative if the other is earlier. */
export function daysBetween(from: Day, to: Day): number {
  return Math.round((startOf(to) - startOf(from)) / dayMs);
}

/** 0 for Monday to 6 for Sunday. */
export function weekdayOf(day: Day): number {
  return (new Date(startOf(day)).getUTCDay() + 6) % 7;
}

export const weekdays = [
  "Monday",
  "Tuesday",
  "Wednesday",
  "Thursday",
  "Friday",
  "Saturday",
  "Sunday",
] as const;

// prettier-ignore
export const months = [
  "January", "February", "March", "April", "May", "June",
  "July", "August", "September", "October", "November", "December",
] as const;

/** The name of the day's month. */
export function monthOf(day: Day): string {
  return months[Number(day.slice(5, 7)) - 1] ?? "";
}

/** Whether the browser knows a time zone of this name. */
export function isZone(name: string): boolean {
  if (name === "") return false;
  try {
    formatOf(name);
    return true;
  } catch {
    return false;
  }
}

/** The zone by the one name its other names stand for: Asia/Kolkata was called Asia/Calcutta. */
export function canonicalZone(name: string): string {
  return isZone(name) ? formatOf(name).resolvedOptions().timeZone : name;
}

/** The time zone of this device. */
export function browserZone(): string {
  return new Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";
}
