import { type Day, addDays, addMonths, clockAt, isDay, weekdayOf } from "@/lib/time/clock";
import type { Time } from "@/lib/time/due";

import { type Source, type Span, isPlain, matchAt, wordBefore, wordStarts, words } from "./source";
import {
  monthNamed,
  monthPattern,
  numberNamed,
  numberPattern,
  weakWords,
  weekdayNamed,
  weekdayPattern,
} from "./words";

export type DateFound = Span & {
  day: Day;
  /** Of "in 2 hours". */
  time?: Time;
  /** prep: a preposition says so. sure: nothing else is meant by it. bare: it depends on where it stands. weak: a word that is one of its own. */
  how: "prep" | "sure" | "bare" | "weak";
  /** It begins a sentence often enough as a name ("Sunday roast"). */
  name: boolean;
};

export type TimeFound = Span & {
  time: Time;
  /** prep and sure: as a date's. ends: only at the end, or beside a date. bare: only beside a date. */
  how: "prep" | "sure" | "ends" | "bare";
};

// Before these a date or a time is what the task is about and not when it is due.
// prettier-ignore
const about = new Set([
  "from", "to", "of", "about", "since", "after", "before", "until", "till", "for", "with", "like", "between", "vs",
  "the", "a", "an", "this", "next", "last", "past", "previous", "every", "each", "and", "or", "than", "on", "by", "at", "in",
  "my", "our", "your", "his", "her", "their", "is", "was", "are", "isn't", "not", "no", "-", "–", "&", "+", "/",
  "called", "named", "titled", "page", "chapter", "room", "version",
]);

// Days with a name of their own.
// prettier-ignore
const named = new Set([
  "black friday", "good friday", "casual friday", "freaky friday", "cyber monday", "blue monday", "easter monday",
  "whit monday", "shrove tuesday", "taco tuesday", "giving tuesday", "super tuesday", "ash wednesday",
  "maundy thursday", "holy saturday", "palm sunday", "easter sunday", "bloody sunday", "super sunday",
]);

const before = "(?<before>(?:due:?(?:\\s+(?:on|by))?|on|by|starting(?:\\s+on)?)\\s+)";
const nth = "(\\d{1,2})(?:st|nd|rd|th)?";
const year = "(?:,?\\s+(\\d{4}))?";

const today = words(`${before}?(today|tomorrow|tmrw|tmr|(?:the\\s+)?day\\s+after\\s+tomorrow)`);
const weekday = words(`${before}?(?:(this|next|coming)\\s+)?(${weekdayPattern})`);
const later = words(`(?:due\\s+)?in\\s+(${numberPattern})\\s+(minute|min|hour|hr|day|week|month|year)s?`);
const dayMonth = words(`(?:${before}(?:the\\s+)?)?${nth}\\s+(?:of\\s+)?(${monthPattern})${year}`);
const monthDay = words(`${before}?(${monthPattern})\\s+${nth}${year}`);
const iso = words(`${before}?(\\d{4}-\\d{2}-\\d{2})`);
const slashes = words(`${before}?(\\d{1,2})([/.])(\\d{1,2})(?:\\3(\\d{4}))?`);
const ofMonth = words(`${before}the\\s+(\\d{1,2})(?:st|nd|rd|th)(?:\\s+of\\s+(?:the|this)\\s+month)?`);
const period = words(`${before}?(this\\s+weekend|next\\s+week|next\\s+month)`);

/** The next day from one on with this month and day; null if there is none. */
function nextOf(month: number, day: number, from: Day): Day | null {
  const first = Number(from.slice(0, 4));
  // The 29th of February is up to eight years away.
  for (let y = first; y <= first + 8; y++) {
    const at = dayAt(y, month, day);
    if (at && at >= from) return at;
  }
  return null;
}

function dayAt(y: number, month: number, day: number): Day | null {
  const text = [
    String(y).padStart(4, "0"),
    String(month).padStart(2, "0"),
    String(day).padStart(2, "0"),
  ].join("-");
  return isDay(text) ? text : null;
}

type Clock = { now: Date; zone: string; today: Day };

/** Every date in the text, whether it is meant as one or not. A longer one hides those in it. */
export function datesIn(source: Source, clock: Clock): DateFound[] {
  const found: DateFound[] = [];
  for (const at of wordStarts(source.text)) {
    if (found.some((f) => f.end > at)) continue;
    const date = dateAt(source, at, clock);
    if (date) found.push(date);
  }
  return found;
}

function dateAt(source: Source, at: number, clock: Clock): DateFound | null {
  const { text } = source;
  const from = clock.today;
  const make = (m: RegExpExecArray, day: Day | null, how: DateFound["how"], more?: Partial<DateFound>) => {
    const prep = m.groups?.["before"];
    // "Live On Friday" is a name, and the Friday in it belongs to it.
    if (!day || (prep && !isPlain(prep, at, source))) return null;
    if (!prep && about.has(wordBefore(text, at))) return null;
    return {
      start: at,
      end: at + m[0].length,
      day,
      how: prep ? ("prep" as const) : how,
      name: false,
      ...more,
    };
  };
  let m = matchAt(today, text, at);
  if (m) {
    const word = (m[2] ?? "").toLowerCase();
    const ahead = word.includes("after") ? 2 : word === "today" ? 0 : 1;
    if (!m[1] && !isPlain(m[2] ?? "", at, source)) return null;
    return make(m, addDays(from, ahead), "sure");
  }
  m = matchAt(later, text, at);
  if (m) {
    const unit = (m[2] ?? "").toLowerCase();
    // "Around the World in 80 Days"
    if (!isPlain(m[0], at, source) && !source.loud) return null;
    const n = numberNamed(m[1] ?? "");
    if (unit.startsWith("m") && unit !== "month") return inMinutes(m, n, at, clock);
    if (unit.startsWith("h")) return inMinutes(m, n * 60, at, clock);
    const day = unit === "day" ? addDays(from, n) : unit === "week" ? addDays(from, 7 * n) : null;
    return make(m, day ?? addMonths(from, unit === "year" ? 12 * n : n), "sure");
  }
  m = matchAt(weekday, text, at);
  if (m) {
    const [, prep, which, name = ""] = m;
    const wanted = weekdayNamed(name);
    const today = weekdayOf(from);
    if (named.has(`${wordBefore(text, at)} ${name.toLowerCase()}`)) return null;
    if (which && !prep && !isPlain(which, at, source)) return null;
    const ahead = (wanted - today + 7) % 7;
    // "next" is the one of next week, "this" may be today, and the plain name never is.
    const days =
      which?.toLowerCase() === "next"
        ? 7 - today + wanted
        : ahead || (which?.toLowerCase() === "this" ? 0 : 7);
    const how = which ? "prep" : isWeak(name) ? "weak" : "bare";
    return make(m, addDays(from, days), how, { name: !prep && !which });
  }
  m = matchAt(dayMonth, text, at);
  if (m) return make(m, monthDate(m[3], m[2], m[4], from), "bare", { name: isWeak(m[3]) });
  m = matchAt(monthDay, text, at);
  if (m) return make(m, monthDate(m[2], m[3], m[4], from), "bare", { name: isWeak(m[2]) });
  m = matchAt(iso, text, at);
  if (m) return make(m, isDay(m[2] ?? "") ? (m[2] ?? "") : null, "sure");
  m = matchAt(slashes, text, at);
  if (m) return make(m, slashDate(m, from), m[5] ? "sure" : "bare", { name: true });
  m = matchAt(ofMonth, text, at);
  if (m) {
    const day = nextOfMonth(Number(m[2]), from);
    const found = make(m, day, "bare");
    // "on the 5th floor": only at the end, or with a time, is it a day.
    return (
      found && { ...found, how: /month$/i.test(m[0]) ? ("prep" as const) : ("bare" as const), name: true }
    );
  }
  m = matchAt(period, text, at);
  if (m) {
    const said = (m[2] ?? "").toLowerCase();
    if (!m[1] && !isPlain(m[2] ?? "", at, source)) return null;
    const monday = addDays(from, 7 - weekdayOf(from));
    const day = said.endsWith("week")
      ? monday
      : said.endsWith("weekend")
        ? addDays(monday, weekdayOf(from) === 6 ? -1 : -2)
        : addMonths(`${from.slice(0, 7)}-01`, 1);
    return make(m, day, "bare", { name: true });
  }
  return null;
}

const isWeak = (word = "") => weakWords.has(word.toLowerCase());

function inMinutes(m: RegExpExecArray, minutes: number, at: number, { now, zone }: Clock): DateFound {
  const shown = clockAt(now.getTime() + minutes * 60_000, zone);
  return { start: at, end: at + m[0].length, ...shown, how: "sure", name: false };
}

function monthDate(name = "", day = "", y: string | undefined, from: Day): Day | null {
  const month = monthNamed(name);
  return y ? dayAt(Number(y), month, Number(day)) : nextOf(month, Number(day), from);
}

// 3/4 is March or April or three quarters; 24/7 is always. With dots it needs its year, or it is a version.
function slashDate(m: RegExpExecArray, from: Day): Day | null {
  const [, prep, a = "", mark, b = "", y] = m;
  if (`${a}/${b}` === "24/7" || (mark === "." && !y)) return null;
  const [first, second] = [Number(a), Number(b)];
  if (mark === ".") return dayAt(Number(y), second, first);
  if (first === second ? !prep && !y : first <= 12 && second <= 12) return null;
  const [day, month] = first > 12 || first === second ? [first, second] : [second, first];
  // 11/27 without more may be a share of something.
  if (first <= 12 && first !== second && !prep && !y) return null;
  return y ? dayAt(Number(y), month, day) : nextOf(month, day, from);
}

function nextOfMonth(day: number, from: Day): Day | null {
  for (let n = 0; n <= 2; n++) {
    const first = addMonths(`${from.slice(0, 7)}-01`, n);
    const at = dayAt(Number(first.slice(0, 4)), Number(first.slice(5, 7)), day);
    if (at && at >= from) return at;
  }
  return null;
}

const beforeTime = "(?<before>(?:(?:due\\s+)?(?:at|by)|due)\\s+|@\\s?)";
const twelve = words(`${beforeTime}?(\\d{1,2})(?:[:.](\\d{2}))?\\s?([ap])\\.?m\\.?`);
const twentyFour = words(`${beforeTime}?(\\d{1,2}):(\\d{2})`);
// "2pm to 3pm" is how long it takes.
const range = /^\s*(?:-|–|to|until|till)\s*\d/i;
const noon = words(`${beforeTime}(noon)`);

/** Every time of day in the text, whether it is meant as one or not. */
export function timesIn(source: Source): TimeFound[] {
  const found: TimeFound[] = [];
  for (const at of wordStarts(source.text)) {
    if (found.some((f) => f.end > at)) continue;
    const time = timeAt(source, at);
    if (time) found.push(time);
  }
  return found;
}

function timeAt(source: Source, at: number): TimeFound | null {
  const { text } = source;
  const make = (
    m: RegExpExecArray,
    hour: number,
    minute: number,
    how: TimeFound["how"],
  ): TimeFound | null => {
    const prep = m.groups?.["before"];
    if (hour > 23 || minute > 59 || (!prep && about.has(wordBefore(text, at)))) return null;
    if (range.test(text.slice(at + m[0].length))) return null;
    const time = `${String(hour).padStart(2, "0")}:${String(minute).padStart(2, "0")}`;
    return { start: at, end: at + m[0].length, time, how: prep ? "prep" : how };
  };
  let m = matchAt(twelve, text, at);
  if (m) {
    const hour = Number(m[2]);
    if (hour < 1 || hour > 12) return null;
    return make(
      m,
      (hour % 12) + ((m[4] ?? "").toLowerCase() === "p" ? 12 : 0),
      Number(m[3] ?? 0),
      /\d\s/.test(m[0]) ? "ends" : "sure",
    );
  }
  m = matchAt(twentyFour, text, at);
  // "John 3:16" is no time; 03:16 is.
  if (m) return make(m, Number(m[2]), Number(m[3]), (m[2] ?? "").length === 2 ? "sure" : "bare");
  m = matchAt(noon, text, at);
  return m && make(m, 12, 0, "prep");
}
