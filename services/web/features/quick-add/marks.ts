// Tags, priorities and reminders: what has a mark of its own.

import type { Priority } from "@/features/tasks/model";

import { type Source, type Span, isPlain, matchAt, wordBefore, wordStarts, words } from "./source";
import { numberNamed, numberPattern } from "./words";

export type TagFound = Span & { tag: string };
export type PriorityFound = Span & { priority: Priority };
export type ReminderFound = Span & { minutes: number };

const tag = /#([\p{L}\p{N}_][\p{L}\p{N}_/-]{0,49})(?=[.,;:!?)]*(?:\s|$))/uy;

// #12 is an issue and #1e90ff a colour.
const isNoTag = (name: string) =>
  !/\p{L}/u.test(name) ||
  (/^(?:[0-9a-f]{3}){1,2}$/i.test(name) && (/\d/.test(name) || /^(.)\1*$/.test(name)));

export function tagsIn(source: Source): TagFound[] {
  const found: TagFound[] = [];
  for (const at of wordStarts(source.text)) {
    const m = matchAt(tag, source.text, at);
    if (!m?.[1] || isNoTag(m[1])) continue;
    found.push({ start: at, end: at + m[0].length, tag: m[1] });
  }
  return found;
}

const marked = words("!(low|medium|high|urgent)");
const numbered = words("p([1-4])");
const numbers: readonly Priority[] = ["urgent", "high", "medium", "low"];

export function prioritiesIn(source: Source): PriorityFound[] {
  const found: PriorityFound[] = [];
  for (const at of wordStarts(source.text)) {
    const span = (m: RegExpExecArray) => ({ start: at, end: at + m[0].length });
    const named = matchAt(marked, source.text, at);
    if (named?.[1]) found.push({ ...span(named), priority: named[1].toLowerCase() as Priority });
    const m = matchAt(numbered, source.text, at);
    // "the p1 incident" and "P1" are about one.
    if (
      !m ||
      m[0].startsWith("P") ||
      /^(?:the|a|an|this|that|in|of|on|for|and)$/.test(wordBefore(source.text, at))
    )
      continue;
    const priority = numbers[Number(m[1]) - 1];
    if (priority) found.push({ ...span(m), priority });
  }
  return found;
}

const star = words("\\*(\\d{1,6})\\s?(m|min|h|d|w)");
const spoken = words(
  `(?:remind(?:er)?(?:\\s+me)?|with\\s+(?:a\\s+)?reminder)\\s+(${numberPattern}|half\\s+an)\\s+(m|min|minute|h|hr|hour|day|week)s?\\s+(?:before|earlier|ahead)`,
);
const minutesOf: Record<string, number> = { m: 1, h: 60, d: 1440, w: 10_080 };

/** The most minutes before the due time that the server takes: a year. */
export const earliestReminder = 525_600;

export function remindersIn(source: Source): ReminderFound[] {
  const found: ReminderFound[] = [];
  for (const at of wordStarts(source.text)) {
    const m = matchAt(star, source.text, at) ?? matchAt(spoken, source.text, at);
    if (!m || (!m[0].startsWith("*") && !isPlain(m[0].slice(0, 6), at, source))) continue;
    const n = /^half/i.test(m[1] ?? "") ? 0.5 : numberNamed(m[1] ?? "");
    const minutes = n * (minutesOf[(m[2] ?? "").charAt(0).toLowerCase()] ?? 0);
    if (Number.isInteger(minutes) && minutes <= earliestReminder) {
      found.push({ start: at, end: at + m[0].length, minutes });
    }
  }
  return found;
}
