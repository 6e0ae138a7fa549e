"use client";

import { ArrowUpDown, ListFilter, X } from "lucide-react";

import { Button } from "@/components/ui/button";
import { cn } from "@/lib/cn";
import { useOnDemand } from "@/lib/use-on-demand";

import { type Sort, isFiltering, sorts } from "./select";
import { useFilters } from "./use-filters";

const sortNames: Record<Sort, string> = {
  due: "Due date",
  priority: "Priority",
  created: "Newest first",
  updated: "Last changed",
  title: "Title",
};

const load = () => import("./filter-popup").then((m) => m.FilterPopup);

/** Filters and order of a list. `usual` is the order it has by itself. */
export function FilterBar({ tags, usual }: { tags: readonly string[]; usual: Sort }) {
  const [filters, change] = useFilters();
  const active = filters.priority.length + (filters.tag ? 1 : 0);
  const { part: Popup, ask, warming } = useOnDemand(load);
  const trigger = (
    <Button
      aria-haspopup="dialog"
      onClick={ask}
      {...warming}
      look="ghost"
      size="sm"
      className={cn("px-2 font-normal text-muted", active > 0 && "bg-accent-soft font-medium text-accent")}
    >
      <ListFilter aria-hidden />
      Filter
      {active > 0 && <span className="tabular-nums">{active}</span>}
    </Button>
  );
  return (
    <div className="-mr-2 flex items-center sm:gap-1">
      {isFiltering(filters) && (
        <Button
          look="ghost"
          size="sm"
          className="px-2 text-muted"
          onClick={() => change({ q: "", priority: [], tag: "" })}
        >
          <X aria-hidden />
          <span className="max-sm:sr-only">Clear</span>
          <span className="sr-only"> search and filters</span>
        </Button>
      )}
      {Popup ? <Popup filters={filters} change={change} tags={tags} trigger={trigger} /> : trigger}
      {/* The browser's own select, unseen over what it says: it cannot be made to look like its neighbour. */}
      <div className="relative flex h-8 items-center gap-2 rounded-lg px-2 text-sm text-muted hover:bg-sunken has-focus-visible:outline-2 has-focus-visible:outline-offset-2 has-focus-visible:outline-accent">
        <ArrowUpDown aria-hidden className="size-4" />
        <span aria-hidden>{sortNames[filters.sort ?? usual]}</span>
        <select
          aria-label="Sort by"
          value={filters.sort ?? usual}
          onChange={(event) => {
            const sort = sorts.find((s) => s === event.target.value) ?? null;
            change({ sort: sort === usual ? null : sort });
          }}
          className="absolute inset-0 w-full cursor-pointer text-base text-ink opacity-0"
        >
          {sorts.map((s) => (
            <option key={s} value={s}>
              {sortNames[s]}
            </option>
          ))}
        </select>
      </div>
    </div>
  );
}
