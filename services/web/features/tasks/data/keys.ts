import type { ListQuery } from "../use-listed-tasks";

/** Where things lie in the cache. All begin with what they are and whose. */
export const keys = {
  /** The Book. */
  book: (userId: string) => ["tasks", userId, "book"] as const,
  /** Where the user's log stood before anything was loaded. */
  start: (userId: string) => ["tasks", userId, "start"] as const,
  /** Whether all open tasks are in the book. */
  open: (userId: string) => ["tasks", userId, "open"] as const,
  one: (userId: string, id: string | null) => ["tasks", userId, "one", id] as const,
  lists: (userId: string) => ["tasks", userId, "listed"] as const,
  list: (userId: string, query: ListQuery) => ["tasks", userId, "listed", query] as const,
};

/** Queries of others that count or tell what happened to tasks; their keys begin so, with the user's id behind. */
export const toldOfTasks = ["stats", "activity"] as const;
