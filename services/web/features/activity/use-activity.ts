"use client";

import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useMemo } from "react";

import type { Task } from "@/features/tasks/model";
import { useOpenTasks } from "@/features/tasks/use-tasks";
import { must, tasksApi } from "@/lib/api/client";
import { useUser } from "@/lib/user";

import { type Event, titleIn } from "./sentences";

export type Topic = "tasks.events" | "users.events";

const page = 50;
/** How many titles of tasks that are not open are known; the events of others may carry theirs. */
const mostTitles = 200;

/** The audit trail of a topic, the newest first, page by page. */
export function useActivity(topic: Topic) {
  const user = useUser();
  const trail = useInfiniteQuery({
    queryKey: ["activity", user.id, topic],
    queryFn: ({ pageParam, signal }) =>
      must(
        tasksApi.GET("/api/{user_id}/events", {
          params: {
            path: { user_id: user.id },
            query: { topic, order: "newest", limit: page, ...(pageParam ? { cursor: pageParam } : {}) },
          },
          signal,
        }),
      ),
    initialPageParam: "",
    getNextPageParam: (last) => last.next_cursor,
    staleTime: 10_000,
  });
  const events = useMemo(() => {
    // An event that came while pages were fetched may be on two of them.
    const seen = new Map<string, Event>();
    for (const event of trail.data?.pages.flatMap((p) => p.items) ?? []) seen.set(event.event_id, event);
    return [...seen.values()];
  }, [trail.data]);
  return { ...trail, events };
}

/** The titles of tasks and series by their ids: those of now, or else the newest that events tell. */
export function useTitles(events: readonly Event[]): ReadonlyMap<string, string> {
  const user = useUser();
  const open = useOpenTasks().tasks;
  const others = useQuery({
    queryKey: ["activity", user.id, "titles"],
    queryFn: async ({ signal }) => {
      const get = (query: { deleted: true } | { status: "completed" }) =>
        must(
          tasksApi.GET("/api/{user_id}/tasks", {
            params: {
              path: { user_id: user.id },
              query: { ...query, sort: "-updated_at", limit: mostTitles },
            },
            signal,
          }),
        );
      const [done, trash] = await Promise.all([get({ status: "completed" }), get({ deleted: true })]);
      return [...done.items, ...trash.items];
    },
    staleTime: 30_000,
  });
  return useMemo(() => {
    const titles = new Map<string, string>();
    // Events are the newest first: what is older is told over.
    for (const event of events) {
      const title = titleIn(event);
      if (title && !titles.has(event.aggregate_id)) titles.set(event.aggregate_id, title);
    }
    const now: readonly Task[] = [...(others.data ?? []), ...open];
    for (const task of now) {
      titles.set(task.id, task.title);
      if (task.series_id) titles.set(task.series_id, task.title);
    }
    return titles;
  }, [events, others.data, open]);
}
