import { ApiError } from "@/lib/api/problem";

import type { Task, TaskPatch } from "../model";
import { fieldsOf } from "./changes";

const longestTitle = 60;
const mostNamed = 3;

/** The title as a toast shows it. */
export function named(task: Pick<Task, "title">): string {
  const { title } = task;
  return `“${title.length > longestTitle ? `${title.slice(0, longestTitle - 1)}…` : title}”`;
}

/** One task by its title, several by their number. */
export function these(tasks: readonly Pick<Task, "title">[]): string {
  const [only] = tasks;
  return tasks.length === 1 && only ? named(only) : `${tasks.length} tasks`;
}

const fieldNames: Record<string, string> = {
  title: "title",
  description: "description",
  priority: "priority",
  tags: "tags",
  due_date: "due date",
  reminders: "reminders",
  remind_at: "reminders",
  recurrence: "repetition",
  completed: "state",
};

/** Field names as people read them. */
export function fieldName(field: string): string {
  return fieldNames[field] ?? field.replaceAll("_", " ");
}

/** What a patch did, where nothing better was said. */
export function saidOf(patch: TaskPatch): string {
  const fields = [...new Set(fieldsOf(patch).map(fieldName))];
  if (fields.length === 1) return `Changed the ${fields[0]}`;
  return "Changed the task";
}

/** Why something failed, and when to try again if that is known. */
export function reason(error: unknown): string {
  if (!(error instanceof ApiError)) return "Something went wrong on this page.";
  if (error.status === 0 && !navigator.onLine) return "You are offline. Nothing was changed.";
  const fields = error.fields.map((f) => `${fieldName(f.field)} ${f.message}`);
  const what = fields.length > 0 ? sentence(fields.join("; ")) : sentence(error.message);
  return error.retryAfter === undefined ? what : `${what} Try again in ${seconds(error.retryAfter)}.`;
}

/** Why several failed: the first few by name. */
export function reasons(failed: readonly { task: Task; error: unknown }[]): string {
  const some = failed.slice(0, mostNamed).map(({ task, error }) => `${named(task)}: ${reason(error)}`);
  const rest = failed.length - some.length;
  return rest > 0 ? `${some.join(" ")} And ${rest} more.` : some.join(" ");
}

function sentence(text: string): string {
  const begun = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(begun) ? begun : `${begun}.`;
}

function seconds(n: number): string {
  return n <= 1 ? "a second" : `${Math.ceil(n)} seconds`;
}
