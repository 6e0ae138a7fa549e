import type { components } from "@/lib/api/task-api.gen";

export type Task = components["schemas"]["Task"];
export type NewTask = components["schemas"]["NewTask"];
export type TaskPatch = components["schemas"]["TaskPatch"];
export type Scope = components["schemas"]["Scope"];
export type Priority = components["schemas"]["Priority"];
export type Recurrence = NonNullable<Task["recurrence"]>;

/** What makes a task due then, or no more (null): its reminders count back from that and go with it. */
export function dueOn(task: Task, due: string | null): TaskPatch {
  return due === null && task.reminders.length > 0 ? { due_date: null, reminders: [] } : { due_date: due };
}

/** Rising. */
export const priorities: readonly Priority[] = ["none", "low", "medium", "high", "urgent"];

export const views = ["today", "upcoming", "overdue", "all", "completed", "trash"] as const;
export type View = (typeof views)[number];
