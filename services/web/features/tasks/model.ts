import type { components } from "@/lib/api/task-api.gen";

export type Task = components["schemas"]["Task"];
export type NewTask = components["schemas"]["NewTask"];
export type TaskPatch = components["schemas"]["TaskPatch"];
export type Scope = components["schemas"]["Scope"];
export type Priority = components["schemas"]["Priority"];
export type Recurrence = NonNullable<Task["recurrence"]>;

/** Rising. */
export const priorities: readonly Priority[] = ["none", "low", "medium", "high", "urgent"];

export const views = ["today", "upcoming", "overdue", "all", "completed", "trash"] as const;
export type View = (typeof views)[number];
