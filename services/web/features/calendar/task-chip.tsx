"use client";

import { Repeat2 } from "lucide-react";

import { startDrag } from "@/features/tasks/drag";
import { useOpenTask } from "@/features/tasks/open-task";
import { priorityText } from "@/features/tasks/priority";
import { cn } from "@/lib/cn";

import type { Dated } from "./tasks";

type Props = Dated & {
  overdue: boolean;
  /** Tab comes by. In the grid it does not: there the day is left with Enter into the list of its tasks. */
  tabbable?: boolean;
  roomy?: boolean;
  onOpen?: () => void;
};

/** A task on a day: a click opens it, and it can be dragged to another day. */
export function TaskChip({ task, time, overdue, tabbable, roomy, onOpen }: Props) {
  const open = useOpenTask();
  return (
    <button
      type="button"
      draggable
      tabIndex={tabbable ? undefined : -1}
      onDragStart={(event) => startDrag(event, [task])}
      onClick={(event) => {
        event.stopPropagation();
        onOpen?.();
        open(task.id);
      }}
      title={task.title}
      className={cn(
        "flex w-full min-w-0 cursor-pointer items-center gap-1.5 rounded-md text-left hover:bg-sunken",
        roomy ? "min-h-9 px-2 py-1.5 text-sm" : "h-6 bg-sunken/70 px-1.5 text-xs hover:bg-accent-soft",
      )}
    >
      <span
        aria-hidden
        className={cn(
          "size-1.5 shrink-0 rounded-full bg-current",
          overdue ? "text-danger" : priorityText[task.priority],
        )}
      />
      {time && (
        <span
          className={cn(
            "shrink-0 tabular-nums",
            overdue ? "text-danger" : "text-muted",
            // A narrow column has room for the title alone.
            !roomy && "max-lg:hidden",
          )}
        >
          {time}
        </span>
      )}
      <span className={cn("min-w-0 truncate", roomy && "flex-1")}>{task.title}</span>
      {overdue && <span className="sr-only">, overdue</span>}
      {task.recurrence && (
        <Repeat2
          aria-label="repeats"
          className={cn("ml-auto size-3 shrink-0 text-muted", !roomy && "max-lg:hidden")}
        />
      )}
    </button>
  );
}
