// What two people, or one in two places, made of the same task.

import type { Task, TaskPatch } from "./model";

/** The fields a person sets, in the order they are shown. */
export const fields = [
  "title",
  "description",
  "due_date",
  "priority",
  "tags",
  "recurrence",
  "reminders",
  "remind_at",
  "completed",
] as const;
export type FieldName = (typeof fields)[number];

export type Difference = {
  field: FieldName;
  base: unknown;
  /** As it would be if mine were kept. */
  mine: unknown;
  theirs: unknown;
  /** Both changed it, and not to the same. */
  clash: boolean;
};

const same = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b);

/** The fields that either side changed. What I did not touch stays as they left it, so there is nothing to lose in it. */
export function differences(base: Task, mine: TaskPatch, theirs: Task): Difference[] {
  const found: Difference[] = [];
  for (const field of fields) {
    const before = base[field];
    const now = theirs[field];
    const kept = mine[field] === undefined ? now : mine[field];
    const changedByMe = mine[field] !== undefined && !same(kept, before);
    const changedByThem = !same(now, before);
    if (!changedByMe && !changedByThem) continue;
    found.push({
      field,
      base: before,
      mine: kept,
      theirs: now,
      clash: changedByMe && changedByThem && !same(kept, now),
    });
  }
  return found;
}
