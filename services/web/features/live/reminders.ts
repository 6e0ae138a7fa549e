import type { Task } from "@/features/tasks/model";
import { formatDue } from "@/lib/time/due";

import type { Frame } from "./frames";

/** A reminder that comes to the page later than this, in milliseconds, was missed while the page was away. */
const missedAfter = 60_000;

/** Whether the page hears of the reminder long after it rang. */
export function isMissed(frame: Frame, now: Date): boolean {
  return frame.timestamp !== undefined && now.getTime() - Date.parse(frame.timestamp) > missedAfter;
}

/** What a reminder says beneath the task's title. */
export function reminderText(task: Task, frame: Frame, zone: string, now: Date): string {
  const due = task.due_date === null ? "" : `Due ${within(formatDue(task.due_date, zone, now))}.`;
  return [due, lateness(frame, now)].filter((part) => part !== "").join(" ") || "You wanted to be reminded.";
}

/** Words that begin a sentence where they stand alone, such as "Today". */
function within(due: string): string {
  return due.replace(/^(Today|Tomorrow|Yesterday)\b/, (word) => word.toLowerCase());
}

function lateness(frame: Frame, now: Date): string {
  const since = frame.timestamp === undefined ? 0 : now.getTime() - Date.parse(frame.timestamp);
  const whole = frame.lateSeconds * 1000 + (isMissed(frame, now) ? since : 0);
  if (!frame.late && whole < missedAfter) return "";
  return whole < missedAfter ? "This reminder is late." : `This reminder is ${lasting(whole)} late.`;
}

/** A length of time in the largest whole unit: "12 minutes". */
export function lasting(milliseconds: number): string {
  const minutes = Math.round(milliseconds / 60_000);
  if (minutes < 60) return counted(Math.max(minutes, 1), "minute");
  const hours = Math.round(minutes / 60);
  return hours < 48 ? counted(hours, "hour") : counted(Math.round(hours / 24), "day");
}

function counted(n: number, unit: string): string {
  return `${n} ${unit}${n === 1 ? "" : "s"}`;
}
