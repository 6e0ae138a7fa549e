import type { Recurrence, Task, TaskPatch } from "../model";

export type Field = keyof TaskPatch;

const words: Record<string, string> = {
  daily: "FREQ=DAILY",
  weekly: "FREQ=WEEKLY",
  monthly: "FREQ=MONTHLY",
};

/** The task as it will be after a patch: a guess that stands until the server has answered. */
export function changed(task: Task, patch: TaskPatch, now = new Date()): Task {
  const next: Task = { ...task };
  if (patch.title !== undefined) next.title = patch.title;
  if (patch.description !== undefined) next.description = patch.description ?? "";
  if (patch.priority !== undefined) next.priority = patch.priority ?? "none";
  if (patch.tags !== undefined) next.tags = sorted(patch.tags ?? []);
  if (patch.due_date !== undefined) next.due_date = patch.due_date;
  if (patch.reminders !== undefined) next.reminders = patch.reminders ?? [];
  if (patch.remind_at !== undefined) next.remind_at = patch.remind_at ?? [];
  if (patch.recurrence !== undefined) next.recurrence = repeating(task.recurrence, patch.recurrence);
  if (patch.completed !== undefined) return completed(next, patch.completed, now);
  return next;
}

function repeating(present: Task["recurrence"], patch: TaskPatch["recurrence"]): Task["recurrence"] {
  if (patch === null || patch === undefined) return null;
  const given = typeof patch === "string" ? { rule: words[patch] ?? patch } : patch;
  const before: Recurrence = (typeof patch === "string" ? null : present) ?? {
    rule: "",
    anchor: "schedule",
    time_zone: null,
    catch_up: "latest",
  };
  return {
    rule: given.rule ?? before.rule,
    anchor: or(given, "anchor", before.anchor, "schedule"),
    time_zone: or(given, "time_zone", before.time_zone, null),
    catch_up: or(given, "catch_up", before.catch_up, "latest"),
  };
}

/** A merge patch's member: not sent keeps, null sets the default. */
function or<T>(given: object, name: string, kept: T, standard: T): T {
  const value = (given as Record<string, T | null | undefined>)[name];
  return value === undefined ? kept : (value ?? standard);
}

export function completed(task: Task, done: boolean, now = new Date()): Task {
  return {
    ...task,
    completed: done,
    completed_at: done ? (task.completed_at ?? now.toISOString()) : null,
    skipped: false,
    skipped_at: null,
  };
}

/** The patch that sets what another one touched back to how it was. */
export function inverse(before: Task, patch: TaskPatch): TaskPatch {
  const back: Record<string, unknown> = {};
  for (const field of fieldsOf(patch)) back[field] = before[field];
  return back as TaskPatch;
}

export function fieldsOf(patch: TaskPatch): Field[] {
  return (Object.keys(patch) as Field[]).filter((field) => patch[field] !== undefined);
}

export type Rebased = {
  /** What is left to be sent for both changes to hold. */
  patch: TaskPatch;
  /** Fields that both changed, each to something else. */
  clashes: Field[];
};

/**
 * Three-way merge of my patch, made from base, onto what the task is now. Field by field: what only one side changed holds,
 * what both changed to the same is done, and of lists both sides' additions and removals hold.
 */
export function rebase(base: Task, mine: TaskPatch, current: Task): Rebased {
  const patch: Record<string, unknown> = {};
  const clashes: Field[] = [];
  for (const field of fieldsOf(mine)) {
    const was = base[field];
    const is = current[field];
    const wanted = changed(base, { [field]: mine[field] })[field];
    if (same(was, is)) patch[field] = mine[field];
    else if (same(is, wanted)) continue;
    else if (Array.isArray(was) && Array.isArray(is) && Array.isArray(wanted))
      patch[field] = together(was, wanted, is);
    else clashes.push(field);
  }
  return { patch: patch as TaskPatch, clashes };
}

function together(was: readonly unknown[], mine: readonly unknown[], theirs: readonly unknown[]): unknown[] {
  const kept = theirs.filter((x) => has(mine, x) || !has(was, x));
  return sorted([...kept, ...mine.filter((x) => !has(was, x))]);
}

function has(list: readonly unknown[], x: unknown): boolean {
  return list.some((y) => same(x, y));
}

function sorted<T>(list: readonly T[]): T[] {
  const seen = list.filter((x, i) => list.findIndex((y) => same(x, y)) === i);
  return seen.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
}

const instant = /^\d{4}-\d\d-\d\dT/;

/** Whether two values of a field are the same; instants are, in whichever offset they are written. */
export function same(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a === "string" && typeof b === "string")
    return instant.test(a) && instant.test(b) && Date.parse(a) === Date.parse(b);
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((x, i) => same(x, b[i]));
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  const left = a as Record<string, unknown>;
  const right = b as Record<string, unknown>;
  const names = new Set([...Object.keys(left), ...Object.keys(right)]);
  return [...names].every((name) => same(left[name], right[name]));
}
