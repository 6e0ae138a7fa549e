"use client";

import { skipToken, useQuery } from "@tanstack/react-query";
import { useCallback, useEffect, useMemo, useSyncExternalStore } from "react";

import { useToast } from "@/components/ui/toast";
import { ApiError } from "@/lib/api/problem";

import { type Book, emptyBook, heard, idOf, shown } from "./data/book";
import type { Conflict } from "./data/conflicts";
import { keys } from "./data/keys";
import { loadOpen, mostOpen } from "./data/load";
import { isGone } from "./data/merge";
import { useTaskSession } from "./data/session";
import type { NewTask, Scope, Task, TaskPatch } from "./model";

export type { Conflict };

export type Loading = {
  status: "loading" | "error" | "ready";
  error: ApiError | null;
  retry: () => void;
};

/**
 * All open tasks, kept up to date. They come in pages; `complete` is false until all are there. Of more than 10,000 those
 * that are due first are there, and `truncated` says so.
 */
export function useOpenTasks(): Loading & {
  tasks: readonly Task[];
  complete: boolean;
  truncated: boolean;
} {
  const session = useTaskSession();
  const tasks = useBook(openOf);
  const start = useStart();
  const load = useQuery({
    queryKey: keys.open(session.userId),
    queryFn: ({ signal }) => loadOpen(session.door, session.read, session.write, signal),
    // What happens from the start on is told by frames; loaded before it, something could fall between.
    enabled: start.data !== undefined,
  });
  useTruncationNotice(load.data?.more ?? false);
  const failed = start.isError ? start : load;
  const { refetch } = failed;
  const retry = useCallback(() => void refetch(), [refetch]);
  const there = load.data !== undefined || tasks.length > 0;
  return {
    status: there ? "ready" : failed.isError ? "error" : "loading",
    error: asApiError(failed.error),
    retry,
    tasks,
    complete: load.data?.more === false,
    truncated: load.data?.more ?? false,
  };
}

/** Where the user's log stands when the page begins, asked once. */
export function useStart() {
  const session = useTaskSession();
  return useQuery({
    queryKey: keys.start(session.userId),
    queryFn: async ({ signal }) => (await session.door.changes(0, 1, signal)).current_sequence,
  });
}

/** One task, wherever it is; null if there is none. */
export function useTask(id: string | null): Loading & { task: Task | null } {
  const session = useTaskSession();
  const task = useBook(
    useCallback((book: Book) => (id ? (shown(book).all.get(idOf(book, id)) ?? null) : null), [id]),
  );
  const gone = useBook(
    useCallback(
      (book: Book) => {
        const known = id ? book.known.get(idOf(book, id)) : undefined;
        return known !== undefined && isGone(known);
      },
      [id],
    ),
  );
  const one = useQuery({
    queryKey: keys.one(session.userId, id),
    queryFn:
      id === null
        ? skipToken
        : async ({ signal }) => {
            const known = await session.door.get(idOf(session.read(), id), signal);
            session.write((book) => heard(book, [known]));
            return !isGone(known);
          },
    enabled: id !== null && task === null && !gone,
    staleTime: 0,
  });
  const { refetch } = one;
  const settled = id === null || task !== null || gone || one.isSuccess;
  return {
    status: settled ? "ready" : one.isError ? "error" : "loading",
    error: settled ? null : asApiError(one.error),
    retry: useCallback(() => void refetch(), [refetch]),
    task,
  };
}

/**
 * What can be done with tasks. Everything shows at once, tells in a toast what was done with a way to undo it, and is
 * taken back with the reason when the server refuses. What was changed elsewhere meanwhile raises a conflict.
 */
export type TaskActions = {
  create: (task: NewTask) => Promise<Task | undefined>;
  /**
   * task is the one the user saw when the change began: what was changed elsewhere since is found by comparing the fields
   * of the patch with it. Of a text that was typed for a while that is `{ ...task, title: asItWasWhenTypingBegan }`.
   * said is what the toast says; without it the toast names the field, and with an empty one there is no toast.
   * refused is told why the change was taken back, beside the toast; a conflict is none.
   */
  patch: (
    task: Task,
    changes: TaskPatch,
    options?: { scope?: Scope; said?: string; refused?: (error: ApiError) => void },
  ) => Promise<Task | undefined>;
  complete: (tasks: readonly Task[], completed: boolean) => Promise<void>;
  remove: (tasks: readonly Task[]) => Promise<void>;
  restore: (tasks: readonly Task[]) => Promise<void>;
  skip: (task: Task) => Promise<void>;
  snooze: (task: Task, when: { minutes: number } | { until: string }) => Promise<void>;
  /** The same changes for several tasks; `due_date` moves them. */
  patchAll: (tasks: readonly Task[], changes: (task: Task) => TaskPatch, said: string) => Promise<void>;
};

/** The same object at every call. */
export function useTaskActions(): TaskActions {
  return useTaskSession().desk;
}

/** The conflict that waits for a decision, if any. */
export function useConflict(): { conflict: Conflict | null; keepMine: () => void; takeTheirs: () => void } {
  const { conflicts } = useTaskSession().desk;
  const conflict = useSyncExternalStore(conflicts.watch, conflicts.first, () => null);
  return useMemo(
    () => ({
      conflict,
      keepMine: () => conflicts.decide("mine"),
      takeTheirs: () => conflicts.decide("theirs"),
    }),
    [conflict, conflicts],
  );
}

/**
 * A name for a task's row that stays when the temporary id of a new task becomes the real one: as a React key it keeps the
 * row from being made anew.
 */
export function useRowKey(): (task: Pick<Task, "id">) => string {
  const rows = useBook(rowsOf);
  return useCallback((task) => rows.get(task.id) ?? task.id, [rows]);
}

/** A part of what the page knows of the tasks, each time it is another. */
export function useBook<T>(select: (book: Book) => T): T {
  const { userId } = useTaskSession();
  const { data } = useQuery({
    queryKey: keys.book(userId),
    queryFn: skipToken,
    initialData: emptyBook,
    structuralSharing: false,
    select,
  });
  return data === undefined ? select(emptyBook) : data;
}

const openOf = (book: Book) => shown(book).open;
const rowsOf = (book: Book) => shown(book).keys;

let noticed = false;

/** Says once in a page's life that not all is shown. */
function useTruncationNotice(truncated: boolean): void {
  const say = useToast();
  useEffect(() => {
    if (!truncated || noticed) return;
    noticed = true;
    say({
      title: "There are more tasks than this page holds",
      description: `Here are the ${mostOpen.toLocaleString("en")} that are due first. Search finds all of them.`,
      duration: 15_000,
    });
  }, [truncated, say]);
}

/** What went wrong as something to show. */
export function asApiError(error: Error | null): ApiError | null {
  if (error === null || error instanceof ApiError) return error;
  return new ApiError({ status: 0, detail: "Something went wrong on this page.", cause: error });
}
