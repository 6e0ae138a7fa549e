"use client";

import type { KeyboardEvent } from "react";

import { Popover, PopoverContent, PopoverTrigger } from "@/components/ui/popover";
import { useDropTarget } from "@/features/tasks/drag";
import type { Task } from "@/features/tasks/model";
import { cn } from "@/lib/cn";
import { type Day, fullDay, isOverdue } from "@/lib/time/due";

import { TaskChip } from "./task-chip";
import type { Dated } from "./tasks";

const most = 3;

type Props = {
  day: Day;
  tasks: readonly Dated[];
  here: boolean;
  /** It belongs to the month shown. */
  inside: boolean;
  /** The one cell of the grid that Tab reaches. */
  current: boolean;
  /** On a phone: its tasks are listed below. */
  selected: boolean;
  zone: string;
  now: Date;
  onPick: (day: Day) => void;
  onFocus: (day: Day) => void;
  onKeyDown: (event: KeyboardEvent) => void;
  onDrop: (tasks: readonly Task[], day: Day) => void;
};

/** A day of the grid: a click adds a task to it, and a task dropped on it is moved to it. */
export function DayCell(props: Props) {
  const { day, tasks, here, inside, current, selected, zone, now, onPick, onFocus, onKeyDown, onDrop } =
    props;
  const { over, handlers } = useDropTarget((dropped) => onDrop(dropped, day));
  const shown = tasks.length > most ? tasks.slice(0, most - 1) : tasks;
  const more = tasks.length - shown.length;
  const late = (task: Task) => isOverdue(task.due_date, zone, now);
  const count = tasks.length === 1 ? "1 task" : `${tasks.length} tasks`;
  return (
    <div
      role="gridcell"
      data-day={day}
      tabIndex={current ? 0 : -1}
      aria-label={`${fullDay(day)}, ${tasks.length === 0 ? "no tasks" : count}`}
      aria-current={here ? "date" : undefined}
      aria-selected={selected}
      onClick={() => onPick(day)}
      onFocus={(event) => {
        if (event.target === event.currentTarget) onFocus(day);
      }}
      onKeyDown={onKeyDown}
      {...handlers}
      className={cn(
        "relative flex min-h-12 min-w-0 cursor-pointer flex-col items-center gap-1 border-t border-l border-line px-1 py-1 outline-offset-[-2px] first:border-l-0 sm:min-h-28 sm:items-stretch",
        inside ? "bg-surface" : "bg-canvas",
        over && "bg-accent-soft",
        !over && "sm:hover:bg-accent-soft/40",
        selected && "max-sm:bg-accent-soft",
      )}
    >
      <span
        aria-hidden
        className={cn(
          "grid size-6 shrink-0 place-content-center rounded-full text-xs tabular-nums",
          here ? "bg-accent font-semibold text-accent-ink" : inside ? "text-ink" : "text-muted",
        )}
      >
        {Number(day.slice(8))}
      </span>
      {tasks.length > 0 && (
        <span aria-hidden className="flex h-1.5 gap-0.5 sm:hidden">
          {tasks.slice(0, 3).map(({ task }) => (
            <span
              key={task.id}
              className={cn("size-1.5 rounded-full", late(task) ? "bg-danger" : "bg-accent")}
            />
          ))}
        </span>
      )}
      <div className="hidden min-w-0 flex-col gap-0.5 sm:flex">
        {shown.map((dated) => (
          <TaskChip key={dated.task.id} {...dated} overdue={late(dated.task)} />
        ))}
        {more > 0 && (
          <Popover>
            <PopoverTrigger asChild>
              <button
                type="button"
                tabIndex={-1}
                onClick={(event) => event.stopPropagation()}
                className="h-6 cursor-pointer rounded-md px-1.5 text-left text-xs text-muted hover:bg-sunken hover:text-ink"
              >
                +{more} more
              </button>
            </PopoverTrigger>
            <PopoverContent
              align="start"
              aria-label={fullDay(day)}
              onClick={(event) => event.stopPropagation()}
              className="grid max-h-80 w-72 grid-cols-[minmax(0,1fr)] gap-0.5 overflow-y-auto"
            >
              <p className="px-2 pb-1 text-sm font-medium">{fullDay(day)}</p>
              {tasks.map((dated) => (
                <TaskChip key={dated.task.id} {...dated} overdue={late(dated.task)} tabbable roomy />
              ))}
            </PopoverContent>
          </Popover>
        )}
      </div>
    </div>
  );
}
