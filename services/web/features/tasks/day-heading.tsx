"use client";

import { cn } from "@/lib/cn";

import { useDropTarget } from "./drag";
import type { Section } from "./select";
import { useMove } from "./use-move";

/** What stands over a day's tasks; takes what is dropped on it. */
export function DayHeading({ section, first }: { section: Section; first: boolean }) {
  const move = useMove();
  const { day } = section;
  const { dragging, over, handlers } = useDropTarget((tasks) => {
    if (day) void move(tasks, day);
  });
  const empty = section.tasks.length === 0;
  return (
    <div {...(day ? handlers : {})} className={cn("px-2 sm:px-3", first ? "pt-1" : empty ? "pt-3" : "pt-6")}>
      <div
        className={cn(
          "flex items-baseline gap-2 rounded-md pb-1.5",
          dragging && day && "outline outline-1 outline-offset-4 outline-line-strong outline-dashed",
          over && "bg-accent-soft outline-accent",
        )}
      >
        <h2
          className={cn(
            "text-sm font-semibold",
            section.tone === "danger" && "text-danger",
            empty && "font-normal text-muted",
          )}
        >
          {section.title}
        </h2>
        {section.hint && <span className="text-xs text-muted">{section.hint}</span>}
        {!empty && (
          <span className="ml-auto text-xs text-muted tabular-nums">
            <span className="sr-only">Tasks: </span>
            {section.tasks.length}
          </span>
        )}
      </div>
    </div>
  );
}
