"use client";

import {
  CircleCheckBig,
  CloudAlert,
  Inbox,
  type LucideIcon,
  SearchX,
  Sun,
  Trash2,
  CalendarClock,
} from "lucide-react";

import { Button } from "@/components/ui/button";
import { Empty } from "@/components/ui/empty";
import { Skeleton } from "@/components/ui/skeleton";
import { Spinner } from "@/components/ui/spinner";
import type { ApiError } from "@/lib/api/problem";

import type { View } from "./model";
import { useFilters } from "./use-filters";

// Of different lengths, as titles are.
const widths = ["w-2/5", "w-3/5", "w-1/3", "w-1/2", "w-2/3", "w-1/4"];

/** Where tasks will stand, in their size. */
export function ListSkeleton() {
  return (
    <div role="status">
      <span className="sr-only">Loading your tasks</span>
      {widths.map((width) => (
        <div key={width} className="flex h-[2.5625rem] items-center gap-4 px-2 sm:px-3">
          <Skeleton className="size-[1.125rem] shrink-0 rounded-full" />
          <Skeleton className={`h-3 ${width}`} />
        </div>
      ))}
    </div>
  );
}

export function StillLoading() {
  return (
    <p role="status" className="flex items-center justify-center gap-2 py-6 text-sm text-muted">
      <Spinner />
      Still loading the rest
    </p>
  );
}

/** That loading failed, why, and what can be done; short if some of it is shown all the same (`rest`). */
export function ListError({ error, retry, rest }: { error: ApiError; retry: () => void; rest: boolean }) {
  const again = (
    <Button size="sm" onClick={retry}>
      Try again
    </Button>
  );
  if (rest)
    return (
      <div
        role="alert"
        className="mb-3 flex flex-wrap items-center gap-3 rounded-lg bg-warn-soft px-3 py-2 text-sm text-warn"
      >
        <p className="min-w-0 flex-1">These tasks may not be all, or not up to date. {error.message}</p>
        {again}
      </div>
    );
  return (
    <Empty role="alert" icon={<CloudAlert />} title="Your tasks could not be loaded" action={again}>
      {error.message}
    </Empty>
  );
}

const words: Record<View, { icon: LucideIcon; title: string; text: string }> = {
  today: {
    icon: Sun,
    title: "Nothing left for today",
    text: "Enjoy it, or add what comes to mind above.",
  },
  upcoming: {
    icon: CalendarClock,
    title: "The days ahead are free",
    text: "Give a task a date, such as “water the plants on friday”, and it appears here.",
  },
  overdue: { icon: CircleCheckBig, title: "Nothing is late", text: "Everything with a date still has time." },
  all: {
    icon: Inbox,
    title: "No open tasks",
    text: "Write down the first one above. Dates, #tags and priorities are understood as you type.",
  },
  completed: {
    icon: CircleCheckBig,
    title: "Nothing completed yet",
    text: "What you tick off is kept here, and can be reopened.",
  },
  trash: { icon: Trash2, title: "The trash is empty", text: "Deleted tasks are kept here for 30 days." },
};

/** That there is nothing, said as it is: nothing at all, or nothing that the filters let through. */
export function ListEmpty({ view, filtering, any }: { view: View; filtering: boolean; any: boolean }) {
  const [, change] = useFilters();
  if (filtering && (any || view === "completed" || view === "trash"))
    return (
      <Empty
        role="status"
        icon={<SearchX />}
        title="Nothing matches"
        action={
          <Button size="sm" onClick={() => change({ q: "", priority: [], tag: "" })}>
            Clear search and filters
          </Button>
        }
      >
        No task here has all that you are looking for.
      </Empty>
    );
  const { icon: Icon, title, text } = words[view];
  return (
    <Empty icon={<Icon />} title={title}>
      {text}
    </Empty>
  );
}
