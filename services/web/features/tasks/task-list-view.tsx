"use client";

import { useMemo, useState } from "react";

import { QuickAdd } from "@/features/quick-add/quick-add";
import { CompletedChart } from "@/features/stats/completed-chart";
import { fullDay, today } from "@/lib/time/due";
import { useNow } from "@/lib/time/use-now";
import { useZone } from "@/lib/time/zone";

import { FilterBar } from "./filter-bar";
import { ListEmpty, ListError, ListSkeleton, StillLoading } from "./list-states";
import type { View } from "./model";
import {
  type OpenView,
  type Sort,
  isFiltering,
  matches,
  noFilters,
  sectionsOf,
  sorted,
  tagsOf,
} from "./select";
import { TaskList } from "./task-list";
import { useFilters } from "./use-filters";
import { type ListQuery, useListedTasks, useOpenTasks } from "./use-tasks";
import { ViewFrame } from "./view-frame";
import { viewNames } from "./view-names";

export function TaskListView({ view }: { view: View }) {
  return view === "completed" || view === "trash" ? (
    <ListedView view={view} />
  ) : (
    <OpenTasksView view={view} />
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

const order: Record<Sort, string> = {
  due: "due_date",
  priority: "-priority",
  created: "-created_at",
  updated: "-updated_at",
  title: "title",
};

/** A view of tasks that the server selects and sorts, page by page as one scrolls. */
function ListedView({ view }: { view: "completed" | "trash" }) {
  const [filters] = useFilters();
  const zone = useZone();
  const query = useMemo<ListQuery>(
    () => ({
      ...(view === "trash" ? { deleted: true } : { status: "completed" as const }),
      sort: order[filters.sort ?? "updated"],
      ...(filters.q.trim() ? { q: filters.q.trim() } : {}),
      ...(filters.tag ? { tag: filters.tag } : {}),
    }),
    [view, filters],
  );
  const { tasks, status, error, retry, hasMore, loadingMore, loadMore } = useListedTasks(query);
  // The server was not asked for priorities, and a task that was changed here meanwhile may have its place elsewhere.
  const sections = useMemo(() => {
    const found = tasks.filter((t) => matches(t, { ...noFilters, priority: filters.priority }));
    const placed = filters.sort === null ? found : sorted(found, filters.sort, zone);
    return [{ key: view, title: null, tasks: placed }];
  }, [tasks, filters, view, zone]);
  const tags = useMemo(() => tagsOf(tasks), [tasks]);
  const shown = sections[0]?.tasks.length ?? 0;
  const ready = status === "ready" || tasks.length > 0;
  // The page has one chart, and it stays while the list below changes.
  const [chart] = useState(view === "completed");
  return (
    <ViewFrame
      title={viewNames[view]}
      aside={view === "trash" ? "Deleted tasks can be restored for 30 days." : undefined}
      tools={<FilterBar tags={tags} usual="updated" />}
    >
      {chart && (
        <div className="pb-4">
          <CompletedChart />
        </div>
      )}
      {!ready && status === "loading" && <ListSkeleton />}
      {status === "error" && error && <ListError error={error} retry={retry} rest={tasks.length > 0} />}
      {ready &&
        (shown > 0 ? (
          <TaskList
            sections={sections}
            list={`${view} ${JSON.stringify(filters)}`}
            trash={view === "trash"}
            onEnd={hasMore ? loadMore : undefined}
          />
        ) : (
          !hasMore && <ListEmpty view={view} filtering={isFiltering(filters)} any={tasks.length > 0} />
        ))}
      {loadingMore && <StillLoading />}
    </ViewFrame>
  );
}
