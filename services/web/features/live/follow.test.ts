import { beforeEach, expect, test } from "vitest";

import { type Book, emptyBook, heard } from "@/features/tasks/data/book";
import { task } from "@/features/tasks/data/fixture";

import { follow } from "./follow";
import { type Frame, frameOf } from "./frames";

let book: Book;
let done: string[];

beforeEach(() => {
  done = [];
  book = heard(emptyBook, [
    task({ id: "a", series_id: "s" }),
    task({ id: "b", series_id: "s", completed: true }),
    task({ id: "c" }),
  ]);
});

function comes(type: string, data: object): void {
  follow(frameOf(JSON.stringify({ type, sequence: 1, data })) as Frame, {
    read: () => book,
    write: (change) => (book = change(book)),
    want: (id, version) => done.push(`want ${id} ${version}`),
    touched: () => done.push("touched"),
    remind: (frame) => done.push(`remind ${frame.taskId}`),
    profileChanged: () => done.push("profile"),
  });
}

test.each([
  "task.created",
  "task.updated",
  "task.due_changed",
  "task.completed",
  "task.skipped",
  "task.reopened",
  "task.deleted",
  "task.restored",
])("%s has the task looked at and the lists asked for again", (type) => {
  comes(type, { task_id: "c", version: 4 });
  expect(done).toEqual(["want c 4", "touched"]);
});

test("a purged task is gone", () => {
  comes("task.purged", { task_id: "c", version: 4 });
  expect(book.known.get("c")).toEqual({ gone: true, id: "c" });
  expect(done).toEqual(["touched"]);
});

test.each(["series.created", "series.updated", "series.ended", "series.resumed"])(
  "%s has the open tasks of the series looked at",
  (type) => {
    comes(type, { series_id: "s", version: 2 });
    expect(done).toEqual(["want a Infinity"]);
  },
);

test("a reminder is told", () => {
  comes("reminder.fired", { task_id: "c", version: 4 });
  expect(done).toEqual(["want c 4", "remind c"]);
});

test("changed settings are read again", () => {
  comes("user.updated", { version: 2 });
  expect(done).toEqual(["profile"]);
});

test.each([
  ["something.new", { task_id: "c", version: 4 }],
  ["task.updated", { version: 4 }],
])("%s with %o is passed over", (type, data) => {
  comes(type, data);
  expect(done).toEqual([]);
});
