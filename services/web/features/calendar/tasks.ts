import type { Task } from "@/features/tasks/model";
import { type Day, dueDay, dueTime } from "@/lib/time/due";

/** A task on its day. */
export type Dated = { task: Task; time: string | null };

/** Tasks by the day they are due in the zone; those of the whole day first, then by time. */
export function byDay(tasks: readonly Task[], zone: string): Map<Day, Dated[]> {
  const days = new Map<Day, Dated[]>();
  for (const task of tasks) {
    const day = dueDay(task.due_date, zone);
    if (day === null) continue;
    const dated = { task, time: dueTime(task.due_date, zone) };
    const there = days.get(day);
    if (there) there.push(dated);
    else days.set(day, [dated]);
  }
  for (const there of days.values()) {
    there.sort(
      (a, b) =>
        (a.time ?? "").localeCompare(b.time ?? "") || a.task.created_at.localeCompare(b.task.created_at),
    );
  }
  return days;
}
