"use client";

import dynamic from "next/dynamic";
import { Suspense, useMemo } from "react";

import { QuickAdd } from "@/features/quick-add/quick-add";
import { fullDay, today } from "@/lib/time/due";
import { useNow } from "@/lib/time/use-now";
import { useZone } from "@/lib/time/zone";

import { FilterBar } from "./filter-bar";
import { ListEmpty, ListError, ListSkeleton, StillLoading } from "./list-states";
import type { View } from "./model";
import { type OpenView, isFiltering, sectionsOf, tagsOf } from "./select";
import { TaskList } from "./task-list";
import { useFilters } from "./use-filters";
import { useOpenTasks } from "./use-tasks";
import { ViewFrame } from "./view-frame";
import { viewNames } from "./view-names";

const ListedView = dynamic(() => import("./listed-view").then((m) => m.ListedView));

export function TaskListView({ view }: { view: View }) {
  if (view !== "completed" && view !== "trash") return <OpenTasksView view={view} />;
  return (
    <Suspense
      fallback={
        <ViewFrame title={viewNames[view]}>
          <ListSkeleton />
        </ViewFrame>
      }
    >
      <ListedView view={view} />
    </Suspense>
  );
}

/** A view of the open tasks, which are all here: what it shows is selected here. */
function OpenTasksView({ view }: { view: OpenView }) {
  const { tasks, status, error, retry, complete } = useOpenTasks();
  const [filters] = useFilters();
  const zone = useZone();
  const now = useNow();
  const here = today(zone, now);
  const sections = useMemo(
    () => sectionsOf(view, tasks, filters, { zone, now }),
    [view, tasks, filters, zone, now],
  );
  const tags = useMemo(() => tagsOf(tasks), [tasks]);
  // What a new task gets by being added here. The field keeps its text while this stays the same.
  const defaults = useMemo(() => (view === "today" ? { due_date: here } : {}), [view, here]);
  const shown = sections.reduce((n, s) => n + s.tasks.length, 0);
  const ready = status === "ready" || tasks.length > 0;
  return (
    <ViewFrame
      title={viewNames[view]}
      aside={view === "today" ? fullDay(here).replace(/ \d+$/, "") : undefined}
      count={ready ? shown : undefined}
      tools={<FilterBar tags={tags} usual="due" />}
    >
      {view !== "overdue" && (
        <div data-quick-add className="pb-4">
          <QuickAdd defaults={defaults} />
        </div>
      )}
      {!ready && status === "loading" && <ListSkeleton />}
      {status === "error" && error && <ListError error={error} retry={retry} rest={tasks.length > 0} />}
      {ready &&
        (shown > 0 ? (
          <TaskList sections={sections} list={`${view} ${JSON.stringify(filters)}`} />
        ) : (
          complete && <ListEmpty view={view} filtering={isFiltering(filters)} any={tasks.length > 0} />
        ))}
      {ready && !complete && status !== "error" && <StillLoading />}
    </ViewFrame>
  );
}
