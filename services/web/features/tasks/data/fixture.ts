import type { Task } from "../model";

/** A task for tests. */
export function task(given: Partial<Task> = {}): Task {
  return {
    id: "t1",
    title: "Buy milk",
    description: "",
    completed: false,
    completed_at: null,
    skipped: false,
    skipped_at: null,
    priority: "none",
    tags: [],
    due_date: null,
    reminders: [],
    remind_at: [],
    recurrence: null,
    series_id: null,
    occurrence: null,
    version: 1,
    created_at: "2026-11-20T08:00:00.000Z",
    updated_at: "2026-11-20T08:00:00.000Z",
    deleted_at: null,
    ...given,
  };
}

/** Numbers from 0 to below 1 that are the same at every run. */
export function dice(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

export function shuffled<T>(list: readonly T[], random: () => number): T[] {
  const left = [...list];
  const out: T[] = [];
  while (left.length > 0) out.push(...left.splice(Math.floor(random() * left.length), 1));
  return out;
}
