// What a line of text says about a task besides its title. False alarms cost more than what is missed: a date is
// understood only where it is clearly one, and whatever is understood is shown and can be turned back into text.

import { describe } from "@/features/recurrence/describe";
import type { NewTask } from "@/features/tasks/model";
import { type Day, addDays, clockAt } from "@/lib/time/clock";
import { at, formatDay } from "@/lib/time/due";

import { type DateFound, type TimeFound, datesIn, timesIn } from "./dates";
import { reminderLabel } from "../due/reminders";
import { prioritiesIn, remindersIn, tagsIn } from "./marks";
import { type RepeatFound, firstDay, repeatsIn } from "./repeats";
import { type Source, type Span, sourceOf, without } from "./source";

export type ChipKind = "date" | "time" | "repeat" | "priority" | "tag" | "reminder";

/** Something that was understood. */
export type Chip = {
  kind: ChipKind;
  /** Names it in `ignore`: the words it was understood from. */
  key: string;
  label: string;
  start: number;
  end: number;
};

export type Parsed = {
  /** What is left; never empty unless the text is blank. */
  title: string;
  /** In the order of the text. */
  chips: Chip[];
  /** What the chips say. */
  task: Pick<NewTask, "due_date" | "priority" | "tags" | "reminders" | "recurrence">;
};

export type ParseOptions = {
  now: Date;
  /** The user's IANA zone. */
  zone: string;
  /** The day of a time that has none, and from which a rule begins; today unless it is set. */
  day?: Day | null;
  /** The keys of chips that were turned back into text. */
  ignore?: ReadonlySet<string>;
};

const mostTags = 20;
const mostReminders = 10;

export function parse(text: string, options: ParseOptions): Parsed {
  const plain: Parsed = { title: text.trim(), chips: [], task: {} };
  const source = sourceOf(text);
  const understood = understand(source, options);
  const title = without(source, understood.chips);
  // A line of nothing but dates is a title.
  return title === "" ? plain : { ...understood, title };
}

const overlaps = (a: Span, b: Span) => a.start < b.end && b.start < a.end;

function understand(source: Source, options: ParseOptions): Omit<Parsed, "title"> {
  const { now, zone, ignore = new Set<string>() } = options;
  const today = clockAt(now.getTime(), zone).day;
  const clock = { now, zone, today };
  const keyOf = (span: Span) => source.text.slice(span.start, span.end).toLowerCase().replace(/\s+/g, " ");

  // What was turned back into text is not understood as anything else either.
  const refused: Span[] = [];
  const kept = <T extends Span>(found: T[]): T[] =>
    found.filter((f) => {
      if (!ignore.has(keyOf(f))) return true;
      refused.push(f);
      return false;
    });
  const raw = {
    repeats: kept(repeatsIn(source, clock)),
    reminders: kept(remindersIn(source)),
    priorities: kept(prioritiesIn(source)),
    tags: kept(tagsIn(source)),
    dates: kept(datesIn(source, clock)),
    times: kept(timesIn(source)),
  };
  // What was refused still stands where it stood: "friday" is as clear beside a "5pm" that is text.
  const place = new Place(source, [...Object.values(raw).flat(), ...refused]);

  const taken: Span[] = [...refused];
  const chips: Chip[] = [];
  const task: Parsed["task"] = {};
  const free = <T extends Span>(found: T[]) => found.filter((f) => !taken.some((t) => overlaps(t, f)));
  const take = (kind: ChipKind, span: Span, label: string) => {
    taken.push(span);
    chips.push({ kind, key: keyOf(span), label, start: span.start, end: span.end });
  };

  const repeat = free(raw.repeats)
    .filter((r) => place.allowsRepeat(r))
    .at(-1);
  // Others of its kind stay text, and so do the dates in them.
  if (repeat) taken.push(repeat);
  for (const reminder of raw.reminders) taken.push(reminder);

  const dates = free(raw.dates).filter((d) => place.allowsDate(d));
  const date = dates.filter((d) => d.how === "prep").at(-1) ?? dates.at(-1);
  const times = date?.time
    ? []
    : free(raw.times).filter((t) => place.allowsTime(t) && !(date && overlaps(date, t)));
  const beside = times.filter((t) => [date, repeat].some((other) => other && place.adjacent(t, other)));
  const time = beside.at(-1) ?? times.filter((t) => t.how === "prep").at(-1) ?? times.at(-1);

  const due = dueOf(date, time, repeat, { ...options, today });
  if (repeat) {
    taken.pop();
    task.recurrence = { rule: repeat.rule, ...(repeat.fromCompletion && { anchor: "completion" as const }) };
    const from = due && !date ? `, from ${formatDay(due.day, today)}` : "";
    const said = describe(repeat.rule) + from;
    chips.push({
      kind: "repeat",
      key: keyOf(repeat),
      label: repeat.fromCompletion ? `${said}, after it is done` : said,
      start: repeat.start,
      end: repeat.end,
    });
  }
  if (due) task.due_date = due.time ? at(due.day, due.time, zone) : due.day;
  if (date) take("date", date, formatDay(date.day, today) + (date.time ? ` ${date.time}` : ""));
  if (time && due)
    take("time", time, date || repeat ? time.time : `${formatDay(due.day, today)} ${time.time}`);

  const priority = raw.priorities.find((p) => !chips.some((c) => overlaps(c, p)));
  if (priority) {
    task.priority = priority.priority;
    take("priority", priority, priority.priority.charAt(0).toUpperCase() + priority.priority.slice(1));
  }
  const tags: string[] = [];
  for (const found of raw.tags) {
    if (tags.length === mostTags || tags.includes(found.tag)) continue;
    tags.push(found.tag);
    take("tag", found, `#${found.tag}`);
  }
  if (tags.length > 0) task.tags = tags;
  // Without a due date there is nothing to count back from.
  if (due || options.day) {
    const minutes: number[] = [];
    for (const found of raw.reminders) {
      if (minutes.length === mostReminders || minutes.includes(found.minutes)) continue;
      minutes.push(found.minutes);
      take("reminder", found, reminderLabel(found.minutes));
    }
    if (minutes.length > 0) task.reminders = minutes;
  }
  chips.sort((a, b) => a.start - b.start);
  return { chips, task };
}

function dueOf(
  date: DateFound | undefined,
  time: TimeFound | undefined,
  repeat: RepeatFound | undefined,
  { now, zone, today, day }: ParseOptions & { today: Day },
): { day: Day; time?: string } | null {
  if (date) return { day: date.day, time: date.time ?? time?.time };
  if (!time && !repeat) return null;
  const base = day ?? today;
  const passed = time !== undefined && base === today && time.time <= clockAt(now.getTime(), zone).time;
  const from = passed ? addDays(base, 1) : base;
  return { day: repeat ? firstDay(repeat.form, from) : from, time: time?.time };
}

/** Where something stands among everything else that could be meant. */
class Place {
  constructor(
    private readonly source: Source,
    private readonly all: readonly Span[],
  ) {}

  allowsDate(date: DateFound): boolean {
    if (date.how === "prep" || date.how === "sure") return true;
    if (this.besideAny(date, (s) => "time" in s && !("day" in s))) return true;
    if (date.how === "weak") return false;
    return this.ends(date) || (this.begins(date) && (!date.name || this.stops(date)));
  }

  allowsTime(time: TimeFound): boolean {
    if (time.how === "prep" || time.how === "sure") return true;
    if (this.besideAny(time, (s) => "day" in s || "rule" in s)) return true;
    return time.how === "ends" && this.ends(time);
  }

  allowsRepeat(repeat: RepeatFound): boolean {
    if (repeat.how === "sure" || this.ends(repeat) || this.besideAny(repeat, (s) => "time" in s)) return true;
    if (this.begins(repeat)) return this.stops(repeat);
    // "Take pills every day with food", and not "make every day count" or "write the weekly report".
    const after = /^(?:,|\s+(?:with|at|in|on|before|after|for|until|from|by|around|when|while|and|to)\s)/i;
    return !repeat.adverb && after.test(this.source.text.slice(repeat.end));
  }

  /** Only spaces or a comma are between them. */
  adjacent(a: Span, b: Span): boolean {
    const [first, second] = a.start < b.start ? [a, b] : [b, a];
    return /^\s*,?\s*$/.test(this.source.text.slice(first.end, second.start));
  }

  private besideAny(span: Span, kind: (other: Span) => boolean): boolean {
    return this.all.some((o) => o !== span && kind(o) && !overlaps(o, span) && this.adjacent(o, span));
  }

  /** Nothing but what may be understood too comes after it. */
  private ends(span: Span): boolean {
    return this.rest(span.end, this.source.text.length, span).replace(/[\s.,;:!?)]/g, "") === "";
  }

  /** Nothing but what may be understood too comes before it. */
  private begins(span: Span): boolean {
    return this.rest(0, span.start, span).trim() === "";
  }

  /** A comma or a colon stands behind it. */
  private stops(span: Span): boolean {
    return /^\s*[,:;–-]/.test(this.source.text.slice(span.end));
  }

  private rest(from: number, to: number, but: Span): string {
    let left = "";
    for (let i = from; i < to; i++) {
      const over = this.all.find((o) => o !== but && o.start <= i && i < o.end && !overlaps(o, but));
      if (over) i = over.end - 1;
      else left += this.source.text.charAt(i);
    }
    return left;
  }
}
