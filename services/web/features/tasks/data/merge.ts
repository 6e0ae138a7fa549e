import type { Task } from "../model";

/** Stands for a task that is there no more: purged, or not found. It never comes back, since ids are not used twice. */
export type Gone = { readonly gone: true; readonly id: string };
export type Known = Task | Gone;

/** What is known of each task, by id: the newest version that was ever seen. */
export type Shelf = ReadonlyMap<string, Known>;

export function isGone(known: Known): known is Gone {
  return "gone" in known;
}

/** Whether the task is to be done: neither done, nor skipped, nor in the trash. */
export function isOpen(task: Task): boolean {
  return !task.completed && !task.skipped && task.deleted_at === null;
}

/**
 * What is known after hearing of these too. Answers and frames come in any order and more than once; the higher version
 * wins, and gone is above all, so that the result is the same whichever way they came. A version has one content.
 * The same map comes back if nothing is new.
 */
export function merge(current: Shelf, incoming: Iterable<Known>): Shelf {
  let next: Map<string, Known> | undefined;
  for (const one of incoming) {
    if (rank(one) <= rank((next ?? current).get(one.id))) continue;
    next ??= new Map(current);
    next.set(one.id, one);
  }
  return next ?? current;
}

/** The version of what is known; above every version if it is gone, below if nothing is known. */
export function rank(known: Known | undefined): number {
  if (known === undefined) return -1;
  return isGone(known) ? Infinity : known.version;
}
