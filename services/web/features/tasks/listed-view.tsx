"use client";

import dynamic from "next/dynamic";
import { useMemo, useState } from "react";

import { Skeleton } from "@/components/ui/skeleton";
import { useZone } from "@/lib/time/zone";

import { FilterBar } from "./filter-bar";
import { ListEmpty, ListError, ListSkeleton, StillLoading } from "./list-states";
import { type Sort, isFiltering, matches, noFilters, sorted, tagsOf } from "./select";
import { TaskList } from "./task-list";
import { useFilters } from "./use-filters";
import { type ListQuery, useListedTasks } from "./use-listed-tasks";
import { ViewFrame } from "./view-frame";
import { viewNames } from "./view-names";

const CompletedChart = dynamic(
  () => import("@/features/stats/completed-chart").then((m) => m.CompletedChart),
  { ssr: false, loading: () => <Skeleton className="h-34 rounded-xl" /> },
);

const order: Record<Sort, string> = {
  due: "due_date",
  priority: "-priority",
  created: "-created_at",
  updated: "-updated_at",
  title: "title",
};

/** A view of tasks that the server selects and sorts, page by page as one scrolls. */
export function ListedView({ view }: { view: "completed" | "trash" }) {
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
