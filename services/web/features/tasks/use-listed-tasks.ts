"use client";

import { keepPreviousData, useInfiniteQuery } from "@tanstack/react-query";
import { useCallback, useMemo } from "react";

import { type Book, heard, shown } from "./data/book";
import type { ListParameters } from "./data/door";
import { keys } from "./data/keys";
import { useTaskSession } from "./data/session";
import type { Task } from "./model";
import { type Loading, asApiError, useBook } from "./use-tasks";

const allOf = (book: Book) => shown(book).all;

export type ListQuery = {
  status?: "all" | "completed";
  deleted?: boolean;
  q?: string;
  sort?: string;
  tag?: string;
};

const listPage = 50;

/** Tasks the server selects (completed ones, the trash), page by page. */
export function useListedTasks(
  query: ListQuery,
): Loading & { tasks: readonly Task[]; hasMore: boolean; loadingMore: boolean; loadMore: () => void } {
  const session = useTaskSession();
  const all = useBook(allOf);
  const list = useInfiniteQuery({
    queryKey: keys.list(session.userId, query),
    queryFn: async ({ pageParam, signal }) => {
      const { sort, ...rest } = query;
      const parameters = {
        ...rest,
        sort: sort as ListParameters["sort"],
        limit: listPage,
        cursor: pageParam,
      };
      const page = await session.door.list(parameters, signal);
      session.write((book) => heard(book, page.items));
      return page;
    },
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor ?? undefined,
    placeholderData: keepPreviousData,
  });
  const { data, refetch, fetchNextPage, hasNextPage, isFetchingNextPage } = list;
  const { deleted = false, status = "all" } = query;
  const tasks = useMemo(() => {
    const listed = new Map<string, Task>();
    for (const page of data?.pages ?? [])
      for (const { id } of page.items) {
        // The book knows each in its newest version; what is gone or moved elsewhere meanwhile is not listed here.
        const task = all.get(id);
        if (!task || (task.deleted_at !== null) !== deleted) continue;
        if (status === "completed" && !task.completed) continue;
        listed.set(id, task);
      }
    return [...listed.values()];
  }, [data, all, deleted, status]);
  return {
    status: list.isSuccess ? "ready" : list.isError ? (data ? "ready" : "error") : "loading",
    error: asApiError(list.error),
    retry: useCallback(() => void refetch(), [refetch]),
    tasks,
    hasMore: hasNextPage,
    loadingMore: isFetchingNextPage,
    loadMore: useCallback(() => {
      if (hasNextPage && !isFetchingNextPage) void fetchNextPage();
    }, [fetchNextPage, hasNextPage, isFetchingNextPage]),
  };
}
