import type { components } from "@/lib/api/task-api.gen";

const said: Record<string, string> = {
  "task.created": "Created",
  "task.due_changed": "Due date changed",
  "task.completed": "Completed",
  "task.skipped": "Skipped",
  "task.reopened": "Reopened",
  "task.deleted": "Moved to the trash",
  "task.restored": "Restored",
  "task.purged": "Deleted for good",
  "reminder.fired": "Reminded",
  "series.created": "Began to repeat",
  "series.updated": "Repetition changed",
  "series.ended": "Repetition ended",
  "series.resumed": "Repetition resumed",
};

const fieldNames: Record<string, string> = {
  title: "title",
  description: "description",
  priority: "priority",
  tags: "tags",
  due: "due date",
  due_date: "due date",
  reminders: "reminders",
  remind_at: "snooze",
  recurrence: "repetition",
};

/** What happened, in a few words. */
export function eventWords(event: Pick<components["schemas"]["Event"], "event_type" | "data">): string {
  if (event.event_type !== "task.updated") return said[event.event_type] ?? event.event_type;
  const { changed } = event.data as { changed?: unknown };
  const names = Array.isArray(changed) ? changed.map((name) => fieldNames[String(name)] ?? String(name)) : [];
  return names.length > 0 ? `Changed the ${list(names)}` : "Changed";
}

function list(names: readonly string[]): string {
  const last = names.at(-1) ?? "";
  return names.length < 2 ? last : `${names.slice(0, -1).join(", ")} and ${last}`;
}
