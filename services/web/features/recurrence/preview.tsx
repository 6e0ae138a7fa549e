"use client";

import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";

import { Skeleton } from "@/components/ui/skeleton";
import { must, tasksApi } from "@/lib/api/client";
import { ApiError } from "@/lib/api/problem";
import { cn } from "@/lib/cn";
import { dueDay, dueTime, formatDay, today } from "@/lib/time/due";
import { useNow } from "@/lib/time/use-now";
import { useZone } from "@/lib/time/zone";
import { useUser } from "@/lib/user";

export type Asked = {
  rule: string;
  anchor: "schedule" | "completion";
  due: string | null;
  timeZone: string | null;
};

const pause = 250;

/** A value that has not changed for a moment. */
function useSettled<T>(value: T, ms: number): T {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), ms);
    return () => clearTimeout(timer);
  }, [value, ms]);
  return settled;
}

/** When a rule repeats next, as the server says it. */
export function Preview({ asked }: { asked: Asked }) {
  const user = useUser();
  const zone = useZone();
  const now = useNow();
  // As text, so that the same question is the same value.
  const question = useSettled(JSON.stringify(asked), pause);
  const { data, error, isFetching, isPlaceholderData, refetch } = useQuery({
    queryKey: ["recurrence preview", user.id, question],
    queryFn: ({ signal }) => {
      const { rule, anchor, due, timeZone } = JSON.parse(question) as Asked;
      return must(
        tasksApi.GET("/api/{user_id}/recurrence/preview", {
          params: {
            path: { user_id: user.id },
            query: {
              rule,
              anchor,
              count: 5,
              ...(due ? { start: due } : {}),
              ...(timeZone ? { time_zone: timeZone } : {}),
            },
          },
          signal,
        }),
      );
    },
    placeholderData: keepPreviousData,
    staleTime: 60_000,
    retry: (count, failed) => count < 2 && failed instanceof ApiError && failed.passing,
  });
  if (error && !isFetching) {
    const reason =
      error instanceof ApiError && error.fields.length > 0
        ? `The rule ${error.fields.map((f) => f.message).join(" and ")}.`
        : error.message;
    return (
      <p role="alert" className="text-sm text-danger">
        {reason}{" "}
        {error instanceof ApiError && error.passing && (
          <button type="button" onClick={() => void refetch()} className="cursor-pointer underline">
            Try again
          </button>
        )}
      </p>
    );
  }
  if (!data) return <Skeleton className="h-16" />;
  const here = today(zone, now);
  return (
    <div className={cn("grid gap-1.5 text-sm", isPlaceholderData && "opacity-60")} aria-busy={isFetching}>
      <p>{data.sentence.charAt(0).toUpperCase() + data.sentence.slice(1)}</p>
      {data.occurrences.length === 0 ? (
        <p className="text-muted">It never comes true from its start on.</p>
      ) : (
        <ol aria-label="Next dates" className="flex flex-wrap gap-1">
          {data.occurrences.map((occurrence) => {
            const day = dueDay(occurrence, zone);
            const time = dueTime(occurrence, zone);
            return (
              <li key={occurrence} className="rounded-md bg-sunken px-1.5 py-0.5 text-xs tabular-nums">
                {day && formatDay(day, here)} {time}
              </li>
            );
          })}
        </ol>
      )}
    </div>
  );
}
