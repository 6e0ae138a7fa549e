"use client";

import { ArrowUpDown, ListFilter, X } from "lucide-react";

import { Button } from "@/components/ui/button";
import { Checkbox } from "@/components/ui/checkbox";
import { Popover, PopoverContent, PopoverTrigger } from "@/components/ui/popover";
import { cn } from "@/lib/cn";

import { priorities } from "./model";
import { priorityNames, priorityText } from "./priority";
import { type Sort, isFiltering, sorts } from "./select";
import { useFilters } from "./use-filters";

const sortNames: Record<Sort, string> = {
  due: "Due date",
  priority: "Priority",
  created: "Newest first",
  updated: "Last changed",
  title: "Title",
};

/** As many tags as one looks through; the search finds the others. */
const mostTags = 12;

/** Filters and order of a list. `usual` is the order it has by itself. */
export function FilterBar({ tags, usual }: { tags: readonly string[]; usual: Sort }) {
  const [filters, change] = useFilters();
  const active = filters.priority.length + (filters.tag ? 1 : 0);
  const known = filters.tag && !tags.includes(filters.tag) ? [filters.tag, ...tags] : tags;
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
      <Popover>
        <PopoverTrigger asChild>
          <Button
            look="ghost"
            size="sm"
            className={cn(
              "px-2 font-normal text-muted",
              active > 0 && "bg-accent-soft font-medium text-accent",
            )}
          >
            <ListFilter aria-hidden />
            Filter
            {active > 0 && <span className="tabular-nums">{active}</span>}
          </Button>
        </PopoverTrigger>
        <PopoverContent align="end" aria-label="Filter" className="w-64 p-4">
          <fieldset className="grid gap-0.5">
            <legend className="pb-1.5 text-xs font-medium text-muted">Priority</legend>
            {[...priorities].reverse().map((p) => (
              <label
                key={p}
                className="-mx-2 flex h-8 cursor-pointer items-center gap-2.5 rounded-md px-2 text-sm hover:bg-sunken"
              >
                <Checkbox
                  className="size-4 rounded"
                  checked={filters.priority.includes(p)}
                  onCheckedChange={(on) =>
                    change({
                      priority: priorities.filter((q) =>
                        q === p ? on === true : filters.priority.includes(q),
                      ),
                    })
                  }
                />
                <span className={priorityText[p]}>{priorityNames[p]}</span>
              </label>
            ))}
          </fieldset>
          {known.length > 0 && (
            <fieldset className="mt-3 border-t border-line pt-3">
              <legend className="float-left pb-2 text-xs font-medium text-muted">Tag</legend>
              <div className="clear-both flex max-h-40 flex-wrap gap-1.5 overflow-y-auto">
                {known.slice(0, mostTags).map((tag) => {
                  const on = tag === filters.tag;
                  return (
                    <button
                      key={tag}
                      type="button"
                      aria-pressed={on}
                      onClick={() => change({ tag: on ? "" : tag })}
                      className={cn(
                        "h-6.5 max-w-full cursor-pointer truncate rounded-full border border-line px-2.5 text-xs hover:bg-sunken",
                        on && "border-accent bg-accent-soft text-accent hover:bg-accent-soft",
                      )}
                    >
                      #{tag}
                    </button>
                  );
                })}
              </div>
            </fieldset>
          )}
        </PopoverContent>
      </Popover>
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
