import { expect, test } from "vitest";

import { type Event, type Known, sentenceOf } from "./sentences";

const known: Known = {
  zone: "Europe/Oslo",
  now: new Date("2026-11-23T07:00:00Z"),
  titles: new Map([["t1", "Buy milk"]]),
};

function said(event_type: string, data: unknown = {}, aggregate_id = "t1"): string {
  const event = { event_type, data, aggregate_id } as Event;
  const { before, task, after } = sentenceOf(event, known);
  return task ? `${before} [${task.title}]${after}` : before + after;
}

test.each<[type: string, data: unknown, want: string]>([
  ["task.created", { fields: { title: "Pay rent" } }, "Added [Pay rent]"],
  [
    "task.created",
    {
      fields: {
        title: "Pay rent",
        due: { date: "2026-11-24" },
        recurrence: { rule: "FREQ=MONTHLY;BYMONTHDAY=15" },
      },
    },
    "Added [Pay rent], due tomorrow, every month on the 15th",
  ],
  [
    "task.updated",
    { changed: ["title"], fields: { title: "Pay the rent" } },
    "Renamed a task to [Pay the rent]",
  ],
  [
    "task.updated",
    { changed: ["priority"], fields: { priority: "high" } },
    "Set [Buy milk] to high priority",
  ],
  ["task.updated", { changed: ["tags"], fields: { tags: ["home", "diy"] } }, "Tagged [Buy milk] #home #diy"],
  ["task.updated", { changed: ["tags"] }, "Took the tags off [Buy milk]"],
  [
    "task.updated",
    { changed: ["reminders"], fields: { reminders: [10, 60] } },
    "Set reminders of [Buy milk]: 10 min before and 1 hour before",
  ],
  ["task.updated", { changed: ["reminders"] }, "Took the reminders off [Buy milk]"],
  [
    "task.updated",
    { changed: ["remind_at"], fields: { remind_at: ["2026-11-23T16:00:00Z"] } },
    "Snoozed [Buy milk] until today 17:00",
  ],
  [
    "task.updated",
    { changed: ["recurrence"], fields: { recurrence: { rule: "FREQ=DAILY", anchor: "completion" } } },
    "Changed how it repeats, [Buy milk]: every day, counted from the day it is done",
  ],
  ["task.updated", { changed: ["recurrence"] }, "Stopped repeating [Buy milk]"],
  ["task.updated", { changed: ["description"] }, "Changed [Buy milk]: the description"],
  [
    "task.updated",
    { changed: ["title", "tags"], fields: { title: "X" } },
    "Changed [X]: the title and the tags",
  ],
  ["task.updated", {}, "Changed [Buy milk]"],
  ["task.due_changed", { due: { at: "2026-11-27T16:00:00Z" } }, "Moved [Buy milk] to Fri 27 Nov 17:00"],
  ["task.due_changed", {}, "Took the due date off [Buy milk]"],
  ["task.completed", { completed_at: "2026-11-23T07:00:00Z" }, "Completed [Buy milk]"],
  ["task.skipped", {}, "Skipped [Buy milk] this time"],
  ["task.reopened", {}, "Reopened [Buy milk]"],
  ["task.deleted", {}, "Moved [Buy milk] to the trash"],
  ["task.restored", {}, "Took [Buy milk] out of the trash"],
  ["task.purged", {}, "Deleted [Buy milk] for good"],
  ["reminder.fired", { minutes_before: 30 }, "Reminded of [Buy milk], 30 min before"],
  ["reminder.fired", {}, "Reminded of [Buy milk], when it is due"],
  [
    "reminder.fired",
    { absolute: true, late: true, late_seconds: 720 },
    "Reminded of [Buy milk], 12 min late",
  ],
  [
    "series.created",
    { fields: { title: "Gym", recurrence: { rule: "FREQ=WEEKLY;BYDAY=MO" } } },
    "Began to repeat [Gym]: every Monday",
  ],
  [
    "series.updated",
    { changed: ["recurrence"], fields: { title: "Gym", recurrence: { rule: "FREQ=DAILY" } } },
    "From now on [Gym] repeats every day",
  ],
  [
    "series.updated",
    { changed: ["start", "tags"], fields: { title: "Gym" } },
    "Changed all that follow of [Gym]: when it begins and the tags",
  ],
  ["series.ended", {}, "Stopped repeating [Buy milk]"],
  ["series.resumed", {}, "Repeating again: [Buy milk]"],
  ["user.created", { time_zone: "UTC" }, "The account was made, with the time zone UTC"],
  [
    "user.updated",
    { changed: ["time_zone"], time_zone: "Europe/Oslo" },
    "The time zone was set to Europe/Oslo",
  ],
  ["user.deleted", {}, "Everything was deleted"],
  ["task.teleported", {}, "task.teleported [Buy milk]"],
])("%s %j: %s", (type, data, want) => {
  expect(said(type, data)).toBe(want);
});

test("what the series made was not added by anybody", () => {
  const data = { fields: { title: "Gym", due: { date: "2026-11-24" } }, occurrence: { series_id: "s1" } };
  const event = {
    event_type: "task.created",
    aggregate_id: "t2",
    causation_id: "e1",
    data,
  } as unknown as Event;
  expect(sentenceOf(event, known)).toMatchObject({ before: "The next one came:", after: ", due tomorrow" });
});

test("a task whose title nobody knows is a task, and broken payloads break nothing", () => {
  expect(said("task.completed", null, "t9")).toBe("Completed [a task]");
  for (const data of [
    null,
    [],
    "x",
    7,
    { fields: [] },
    { changed: "title", due: 5 },
    { due: { at: "never" } },
  ]) {
    for (const type of [
      "task.created",
      "task.updated",
      "task.due_changed",
      "reminder.fired",
      "series.updated",
      "user.updated",
    ])
      expect(typeof said(type, data)).toBe("string");
  }
});
