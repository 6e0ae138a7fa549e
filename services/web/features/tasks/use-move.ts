"use client";

import { useZone } from "@/lib/time/zone";
import { weekdayOf } from "@/lib/time/clock";
import { type Day, addDays, formatDay, moveTo, today } from "@/lib/time/due";

import { type Task, dueOn } from "./model";
import { useTaskActions } from "./use-tasks";

/** The Monday after a day. */
export function nextWeek(from: Day): Day {
  return addDays(from, 7 - weekdayOf(from));
}

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
    if (tasks.length === 1) await actions.patch(only, dueOn(only, due(only)), { said });
    else await actions.patchAll(tasks, (task) => dueOn(task, due(task)), said);
  };
}

function inSentence(day: string): string {
  return ["Today", "Tomorrow", "Yesterday"].includes(day) ? day.toLowerCase() : day;
}
