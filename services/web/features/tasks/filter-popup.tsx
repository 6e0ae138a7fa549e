"use client";

import type { ReactNode } from "react";

import { Checkbox } from "@/components/ui/checkbox";
import { Popover, PopoverContent, PopoverTrigger } from "@/components/ui/popover";
import { cn } from "@/lib/cn";

import { priorities } from "./model";
import { priorityNames, priorityText } from "./priority";
import type { Filters } from "./select";

/** As many tags as one looks through; the search finds the others. */
const mostTags = 12;

/** The opened filters of a list, with their button. */
export function FilterPopup(props: {
  filters: Filters;
  change: (filters: Partial<Filters>) => void;
  tags: readonly string[];
  trigger: ReactNode;
}) {
  const { filters, change, tags } = props;
  const known = filters.tag && !tags.includes(filters.tag) ? [filters.tag, ...tags] : tags;
  return (
    <Popover defaultOpen>
      <PopoverTrigger asChild>{props.trigger}</PopoverTrigger>
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
  );
}
