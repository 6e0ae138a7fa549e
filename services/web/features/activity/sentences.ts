// What happened, in plain sentences. Payloads are those of proto/events.go; they are read with care, for what was
// recorded by an older or a newer version must be readable too.

import { describe, list } from "@/features/recurrence/describe";
import type { components } from "@/lib/api/task-api.gen";
import { formatDue } from "@/lib/time/due";
import { isDay } from "@/lib/time/clock";

import { reminderLabel } from "../due/reminders";

export type Event = components["schemas"]["Event"];
export type Kind = "made" | "changed" | "done" | "undone" | "removed" | "reminded" | "repeats" | "account";

/** "Completed", the task, ", which repeats": the task stands between the two, and is a link if it has an id. */
export type Sentence = {
  kind: Kind;
  before: string;
  /** Null for what is about no task. */
  task: { id: string | null; title: string } | null;
  after: string;
};

export type Known = {
  zone: string;
  now: Date;
  /** The titles of tasks and of series, as far as they are known. */
  titles: ReadonlyMap<string, string>;
};

type Data = Record<string, unknown>;

const object = (value: unknown): Data =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Data) : {};
const text = (value: unknown): string => (typeof value === "string" ? value : "");
const texts = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((v) => typeof v === "string") : [];

/** The title an event carries, if it does. */
export function titleIn(event: Event): string | null {
  return text(object(object(event.data)["fields"])["title"]) || null;
}

const fieldNames: Record<string, string> = {
  description: "the description",
  tags: "the tags",
  reminders: "the reminders",
  remind_at: "when to be reminded again",
  recurrence: "how it repeats",
  start: "when it begins",
  due: "the due date",
  due_date: "the due date",
  priority: "the priority",
  title: "the title",
  time_zone: "the time zone",
};

const fieldName = (name: string) => fieldNames[name] ?? name.replaceAll("_", " ");

export function sentenceOf(event: Event, known: Known): Sentence {
  const data = object(event.data);
  const fields = object(data["fields"]);
  const title = titleIn(event) ?? known.titles.get(event.aggregate_id) ?? null;
  const task = { id: event.aggregate_id, title: title ?? "a task" };
  // A series is no page; its title is all there is to show.
  const series = { id: null, title: title ?? "a task" };
  const say = (kind: Kind, before: string, about: Sentence["task"], after = ""): Sentence => ({
    kind,
    before,
    task: about,
    after,
  });
  switch (event.event_type) {
    case "task.created": {
      const due = dueSaid(fields["due"], known);
      const when = due && `, due ${due}`;
      // Made by the series, and not by a person.
      if (data["occurrence"] && event.causation_id) return say("repeats", "The next one came:", task, when);
      return say("made", "Added", task, when + ruleSaid(fields["recurrence"], ", "));
    }
    case "task.updated":
      return updated(data, fields, task, known);
    case "task.due_changed": {
      const due = dueSaid(data["due"], known);
      return due
        ? say("changed", "Moved", task, ` to ${due}`)
        : say("changed", "Took the due date off", task);
    }
    case "task.completed":
      return say("done", "Completed", task);
    case "task.skipped":
      return say("done", "Skipped", task, " this time");
    case "task.reopened":
      return say("undone", "Reopened", task);
    case "task.deleted":
      return say("removed", "Moved", task, " to the trash");
    case "task.restored":
      return say("undone", "Took", task, " out of the trash");
    case "task.purged":
      return say("removed", "Deleted", { ...task, id: null }, " for good");
    case "reminder.fired": {
      const minutes = Number(data["minutes_before"] ?? 0);
      const when = data["absolute"] ? "" : `, ${reminderLabel(minutes).toLowerCase()}`;
      return say("reminded", "Reminded of", task, when + lateSaid(data));
    }
    case "series.created":
      return say("repeats", "Began to repeat", series, ruleSaid(fields["recurrence"], ": "));
    case "series.updated": {
      const changed = texts(data["changed"]);
      const rule = changed.includes("recurrence") ? ruleSaid(fields["recurrence"]) : "";
      if (rule) return say("repeats", "From now on", series, ` repeats ${rule}`);
      const what = changed.length > 0 ? `: ${list(changed.map(fieldName))}` : "";
      return say("repeats", "Changed all that follow of", series, what);
    }
    case "series.ended":
      return say("repeats", "Stopped repeating", series);
    case "series.resumed":
      return say("repeats", "Repeating again:", series);
    case "user.created":
      return say(
        "account",
        `The account was made, with the time zone ${text(data["time_zone"]) || "UTC"}`,
        null,
      );
    case "user.updated": {
      const zone = text(data["time_zone"]);
      return say("account", zone ? `The time zone was set to ${zone}` : "The settings were changed", null);
    }
    case "user.deleted":
      return say("account", "Everything was deleted", null);
    default:
      // A newer server tells of what this page does not know.
      return say("changed", event.event_type, title ? task : null);
  }
}

function updated(data: Data, fields: Data, task: NonNullable<Sentence["task"]>, known: Known): Sentence {
  const changed = texts(data["changed"]);
  const [only] = changed;
  const say = (before: string, after = "", kind: Kind = "changed"): Sentence => ({
    kind,
    before,
    task,
    after,
  });
  if (changed.length === 1) {
    switch (only) {
      case "title":
        return say("Renamed a task to");
      case "priority":
        return say("Set", ` to ${text(fields["priority"]) || "none"} priority`);
      case "tags": {
        const tags = texts(fields["tags"]);
        return tags.length > 0
          ? say("Tagged", ` ${tags.map((t) => `#${t}`).join(" ")}`)
          : say("Took the tags off");
      }
      case "reminders": {
        const minutes = Array.isArray(fields["reminders"]) ? fields["reminders"].map(Number) : [];
        return minutes.length > 0
          ? say("Set reminders of", `: ${list(minutes.map((n) => reminderLabel(n).toLowerCase()))}`)
          : say("Took the reminders off");
      }
      case "remind_at": {
        const [until] = texts(fields["remind_at"]).slice(-1);
        return until
          ? say("Snoozed", ` until ${inSentence(formatDue(until, known.zone, known.now))}`)
          : say("Stopped snoozing");
      }
      case "recurrence": {
        const rule = ruleSaid(fields["recurrence"], ": ");
        return rule
          ? say("Changed how it repeats,", rule, "repeats")
          : say("Stopped repeating", "", "repeats");
      }
    }
  }
  return say("Changed", changed.length > 0 ? `: ${list(changed.map(fieldName))}` : "");
}

/** "tomorrow 17:00"; nothing if it is not due. */
function dueSaid(value: unknown, { zone, now }: Known): string {
  const due = object(value);
  const when = text(due["date"]) || text(due["at"]);
  if (!when || (!isDay(when) && Number.isNaN(Date.parse(when)))) return "";
  return inSentence(formatDue(when, zone, now));
}

function ruleSaid(value: unknown, before = ""): string {
  const recurrence = object(value);
  const rule = text(recurrence["rule"]);
  if (!rule) return "";
  const said = describe(rule, { fromCompletion: recurrence["anchor"] === "completion" });
  // A rule that cannot be read is not a sentence.
  return before + (said === rule ? rule : said.charAt(0).toLowerCase() + said.slice(1));
}

function lateSaid(data: Data): string {
  if (data["late"] !== true) return "";
  const minutes = Math.round(Number(data["late_seconds"] ?? 0) / 60);
  if (minutes < 1) return ", a little late";
  return minutes < 120 ? `, ${minutes} min late` : `, ${Math.round(minutes / 60)} hours late`;
}

const inSentence = (due: string) => due.replace(/^(Today|Tomorrow|Yesterday)/, (word) => word.toLowerCase());
