"use client";

import { useZone } from "@/lib/time/zone";
import { type Day, formatDay, moveTo, today } from "@/lib/time/due";

import type { Task } from "./model";
import { useTaskActions } from "./use-tasks";

/** Moves tasks to a day, each at its own time of day, or makes them due no more (null). */
export function useMove(): (tasks: readonly Task[], day: Day | null) => Promise<void> {
  const actions = useTaskActions();
  const zone = useZone();
  return async (tasks, day) => {
    const [only] = tasks;
    if (!only) return;
    const due = (task: Task) => (day === null ? null : moveTo(task.due_date, day, zone));
    const where = day === null ? null : inSentence(formatDay(day, today(zone)));
    const what = tasks.length === 1 ? `“${only.title}”` : `${tasks.length} tasks`;
    const said = where === null ? `Took the date off ${what}` : `Moved ${what} to ${where}`;
    if (tasks.length === 1) await actions.patch(only, { due_date: due(only) }, { said });
    else await actions.patchAll(tasks, (task) => ({ due_date: due(task) }), said);
  };
}

function inSentence(day: string): string {
  return ["Today", "Tomorrow", "Yesterday"].includes(day) ? day.toLowerCase() : day;
}
