"use client";

import { useQuery } from "@tanstack/react-query";
import { ChevronRight } from "lucide-react";
import { useState } from "react";

import { Button } from "@/components/ui/button";
import { Skeleton } from "@/components/ui/skeleton";
import { must, tasksApi } from "@/lib/api/client";
import { formatDue } from "@/lib/time/due";
import { useNow } from "@/lib/time/use-now";
import { useZone } from "@/lib/time/zone";
import { useUser } from "@/lib/user";

import { eventWords } from "./event-words";

/** As many as one reads; the page "Activity" has them all. */
const most = 10;

/** What happened to a task, the newest first. Fetched when it is asked for. */
export function TaskHistory({ id, version = 0 }: { id: string; version?: number }) {
  const [open, setOpen] = useState(false);
  return (
    <details onToggle={(event) => setOpen(event.currentTarget.open)} className="group">
      <summary className="-ml-1 flex h-8 w-fit cursor-pointer list-none items-center gap-1 rounded-md pr-2 text-sm text-muted hover:text-ink [&::-webkit-details-marker]:hidden">
        <ChevronRight aria-hidden className="size-4 transition-transform group-open:rotate-90" />
        History
      </summary>
      {open && <Events id={id} version={version} />}
    </details>
  );
}

function Events({ id, version }: { id: string; version: number }) {
  const user = useUser();
  const zone = useZone();
  const now = useNow();
  const { data, error, refetch } = useQuery({
    queryKey: ["task history", user.id, id, version],
    queryFn: ({ signal }) =>
      must(
        tasksApi.GET("/api/{user_id}/events", {
          params: { path: { user_id: user.id }, query: { task_id: id, order: "newest", limit: most } },
          signal,
        }),
      ),
    placeholderData: (before) => before,
    staleTime: 5_000,
  });
  if (error)
    return (
      <div role="alert" className="flex items-center gap-3 py-2 text-sm text-muted">
        <p className="min-w-0 flex-1">{error.message}</p>
        <Button size="sm" onClick={() => void refetch()}>
          Try again
        </Button>
      </div>
    );
  if (!data) return <Skeleton className="mt-2 h-16" />;
  return (
    <ol aria-label="History" className="mt-1 ml-1.5 grid gap-2 border-l border-line pl-4 text-sm">
      {data.items.map((event) => (
        <li key={event.event_id} className="flex items-baseline justify-between gap-4">
          <span>{eventWords(event)}</span>
          <time dateTime={event.timestamp} className="shrink-0 text-xs text-muted tabular-nums">
            {formatDue(event.timestamp, zone, now)}
          </time>
        </li>
      ))}
    </ol>
  );
}
