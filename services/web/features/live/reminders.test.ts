import { expect, test } from "vitest";

import { task } from "@/features/tasks/data/fixture";

import { type Frame, frameOf } from "./frames";
import { isMissed, lasting, reminderText } from "./reminders";

const now = new Date("2026-11-22T09:00:00Z");

function reminder(timestamp: string, data: object = {}): Frame {
  const message = { type: "reminder.fired", timestamp, sequence: 1, data: { task_id: "t1", ...data } };
  return frameOf(JSON.stringify(message)) as Frame;
}

test("a reminder says when the task is due", () => {
  const due = task({ due_date: "2026-11-22T10:00:00Z" });
  expect(reminderText(due, reminder("2026-11-22T09:00:00Z"), "UTC", now)).toBe("Due today 10:00.");
});

test("a reminder of a task without a due date says something too", () => {
  expect(reminderText(task(), reminder("2026-11-22T09:00:00Z"), "UTC", now)).toBe(
    "You wanted to be reminded.",
  );
});

test("a reminder that rang late says by how much", () => {
  const late = reminder("2026-11-22T09:00:00Z", { late: true, late_seconds: 720 });
  expect(reminderText(task(), late, "UTC", now)).toBe("This reminder is 12 minutes late.");
});

test("a reminder that came late to this page says so", () => {
  const missed = reminder("2026-11-22T06:00:00Z");
  expect(isMissed(missed, now)).toBe(true);
  expect(reminderText(task(), missed, "UTC", now)).toBe("This reminder is 3 hours late.");
});

test.each([
  [61_000, "1 minute"],
  [59 * 60_000, "59 minutes"],
  [90 * 60_000, "2 hours"],
  [72 * 3_600_000, "3 days"],
])("%i ms last %s", (milliseconds, said) => {
  expect(lasting(milliseconds)).toBe(said);
});
