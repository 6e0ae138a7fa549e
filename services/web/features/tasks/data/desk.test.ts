import { beforeEach, describe, expect, test, vi } from "vitest";

import type { ToastOptions } from "@/components/ui/toast";
import { ApiError } from "@/lib/api/problem";

import type { Task, TaskPatch } from "../model";
import { type Book, emptyBook, heard, shown } from "./book";
import { Desk } from "./desk";
import type { Door, Outcome } from "./door";
import { task } from "./fixture";

let book: Book;
let toasts: ToastOptions[];
let desk: Desk;
/** What was asked of the server, with the version it was made from. */
let asked: string[];
/** What the server answers, one after the other. */
let answers: (Task | ApiError | Outcome[] | Promise<Task>)[];

function answer<T>(said: string): Promise<T> {
  asked.push(said);
  const next = answers.shift();
  if (next instanceof ApiError) return Promise.reject(next);
  if (next === undefined) return Promise.reject(new Error(`no answer for ${said}`));
  return Promise.resolve(next as T);
}

beforeEach(() => {
  vi.spyOn(navigator, "onLine", "get").mockReturnValue(false); // nothing is tried again on its own
  [book, toasts, asked, answers] = [emptyBook, [], [], []];
  const door: Partial<Door> = {
    create: (t, key) => answer(`create ${t.title} ${key}`),
    patch: (t, body, scope) =>
      answer(`patch ${t.version} ${JSON.stringify(body)}${scope ? ` ${scope}` : ""}`),
    complete: (t, done) => answer(`complete ${t.version} ${done}`),
    remove: (t) => answer(`delete ${t.version}`),
    restore: (t) => answer(`restore ${t.version}`),
    skip: (t) => answer(`skip ${t.version}`),
    snooze: (t, body) => answer(`snooze ${t.version} ${JSON.stringify(body)}`),
    batch: (operations) =>
      answer(
        `batch ${operations.map((o) => (o.op === "create" ? o.op : `${o.op} ${o.id} ${o.version}`)).join(", ")}`,
      ),
  };
  desk = new Desk({
    door: door as Door,
    read: () => book,
    write: (change) => (book = change(book)),
    say: (toast) => toasts.push(toast),
    settled: () => undefined,
  });
});

const knows = (...tasks: Task[]) => (book = heard(book, tasks));
const sees = (id = "t1") => shown(book).all.get(id);
const refusal = (
  status: number,
  detail = "No.",
  more: Partial<ConstructorParameters<typeof ApiError>[0]> = {},
) => new ApiError({ status, detail, ...more });
const stale = (current: Task) => refusal(412, "It has changed.", { current });

function later(): { now: (task: Task) => void; promise: Promise<Task> } {
  let now: (task: Task) => void = () => undefined;
  const promise = new Promise<Task>((resolve) => (now = resolve));
  return { now, promise };
}

async function undo(): Promise<void> {
  toasts.at(-1)?.action?.onPress();
  await vi.waitFor(() => expect(answers).toEqual([]));
  await vi.waitFor(() => expect(book.pending).toEqual([]));
}

describe("creating", () => {
  test("shows a row at once, which becomes the task", async () => {
    const made = later();
    answers.push(made.promise);
    const creating = desk.create({ title: "Buy milk", tags: ["shop"] });
    const [row] = shown(book).open;
    expect(row).toMatchObject({ title: "Buy milk", tags: ["shop"], version: 0 });
    made.now(task({ id: "real" }));
    await expect(creating).resolves.toMatchObject({ id: "real" });
    expect(shown(book).open.map((t) => t.id)).toEqual(["real"]);
    expect(shown(book).keys.get("real")).toBe(row?.id);
  });

  test("can be undone", async () => {
    answers.push(task({ id: "real", version: 1 }));
    await desk.create({ title: "Buy milk" });
    answers.push(task({ id: "real", version: 2, deleted_at: "2026-11-22T09:00:00Z" }));
    await undo();
    expect(asked.at(-1)).toBe("delete 1");
    expect(shown(book).open).toEqual([]);
  });

  test("that the server refuses leaves no row and says which field was wrong", async () => {
    answers.push(refusal(422, "Wrong.", { fields: [{ field: "due_date", message: "must be a date" }] }));
    await expect(desk.create({ title: "Buy milk" })).resolves.toBeUndefined();
    expect(shown(book).open).toEqual([]);
    expect(toasts).toMatchObject([
      { title: "Not added: “Buy milk”", description: "Due date must be a date.", tone: "danger" },
    ]);
  });

  test("of which nobody knows whether it took effect is sent again under the same name", async () => {
    answers.push(refusal(0), task({ id: "real" }));
    await desk.create({ title: "Buy milk" });
    await desk.create({ title: "Buy milk" });
    expect(asked[1]).toBe(asked[0]);
    answers.push(task({ id: "another" }));
    await desk.create({ title: "Buy milk" });
    expect(asked[2]).not.toBe(asked[0]);
  });

  test("lets what is done with the row meanwhile wait for the task", async () => {
    const made = later();
    answers.push(made.promise, task({ id: "real", version: 2, completed: true }));
    const creating = desk.create({ title: "Buy milk" });
    const completing = desk.complete([shown(book).open[0] as Task], true);
    expect(shown(book).open).toEqual([]);
    made.now(task({ id: "real", version: 1 }));
    await Promise.all([creating, completing]);
    expect(asked[1]).toBe("complete 1 true");
    expect(sees("real")).toMatchObject({ completed: true, version: 2 });
  });

  test("that failed takes what was done with the row along, and says so once", async () => {
    answers.push(refusal(403, "Not yours."));
    const creating = desk.create({ title: "Buy milk" });
    const completing = desk.complete([shown(book).open[0] as Task], true);
    await Promise.all([creating, completing]);
    expect(asked).toHaveLength(1);
    expect(toasts.map((t) => t.title)).toEqual(["Not added: “Buy milk”"]);
    expect(book.pending).toEqual([]);
  });
});

describe("changing", () => {
  test("shows at once, and is taken back with the server's reason", async () => {
    knows(task());
    answers.push(refusal(409, "The task is in the trash."));
    const changing = desk.patch(task(), { title: "Buy oat milk" });
    expect(sees()?.title).toBe("Buy oat milk");
    await expect(changing).resolves.toBeUndefined();
    expect(sees()?.title).toBe("Buy milk");
    expect(toasts).toMatchObject([{ tone: "danger", description: "The task is in the trash." }]);
  });

  test("can be undone, back to what was", async () => {
    knows(task({ due_date: "2026-12-01" }));
    answers.push(task({ version: 2, due_date: "2026-12-05" }));
    await desk.patch(
      task({ due_date: "2026-12-01" }),
      { due_date: "2026-12-05" },
      { said: "Moved to Saturday" },
    );
    expect(toasts.at(-1)?.title).toBe("Moved to Saturday");
    answers.push(task({ version: 3, due_date: "2026-12-01" }));
    await undo();
    expect(asked.at(-1)).toBe('patch 2 {"due_date":"2026-12-01"}');
    expect(toasts).toHaveLength(1);
  });

  test("twice in a moment does not conflict with itself", async () => {
    knows(task());
    const first = later();
    answers.push(first.promise, task({ version: 3, title: "Second" }));
    const one = desk.patch(task(), { title: "First" });
    const two = desk.patch(sees() as Task, { title: "Second" });
    expect(sees()?.title).toBe("Second");
    first.now(task({ version: 2, title: "First" }));
    await Promise.all([one, two]);
    expect(asked).toEqual(['patch 1 {"title":"First"}', 'patch 2 {"title":"Second"}']);
    expect(desk.conflicts.first()).toBeNull();
  });

  test("goes on when the one before it was refused", async () => {
    knows(task());
    answers.push(refusal(422), task({ version: 2, title: "Second" }));
    const one = desk.patch(task(), { title: "First" });
    const two = desk.patch(sees() as Task, { title: "Second" });
    await Promise.all([one, two]);
    expect(asked.at(-1)).toBe('patch 1 {"title":"Second"}');
    expect(desk.conflicts.first()).toBeNull();
  });

  test("what was changed elsewhere in other fields goes through on the newer version", async () => {
    knows(task());
    answers.push(
      stale(task({ version: 4, priority: "high" })),
      task({ version: 5, priority: "high", title: "Mine" }),
    );
    await desk.patch(task(), { title: "Mine" });
    expect(asked).toEqual(['patch 1 {"title":"Mine"}', 'patch 4 {"title":"Mine"}']);
    expect(sees()).toMatchObject({ title: "Mine", priority: "high" });
  });

  test("whose answer was lost and that is sent again is found to be done", async () => {
    knows(task());
    answers.push(stale(task({ version: 2, title: "Mine" })));
    await expect(desk.patch(task(), { title: "Mine" })).resolves.toMatchObject({ version: 2 });
    expect(asked).toHaveLength(1);
  });

  test("what was changed elsewhere in the same field asks the user, and mine is kept", async () => {
    knows(task());
    const theirs = task({ version: 2, title: "Theirs" });
    answers.push(stale(theirs));
    const changing = desk.patch(task(), { title: "Mine" });
    await vi.waitFor(() => expect(desk.conflicts.first()).not.toBeNull());
    expect(desk.conflicts.first()).toEqual({ base: task(), mine: { title: "Mine" }, current: theirs });
    expect(sees()?.title).toBe("Theirs");
    answers.push(task({ version: 3, title: "Mine" }));
    desk.conflicts.decide("mine");
    await expect(changing).resolves.toMatchObject({ version: 3 });
    expect(asked.at(-1)).toBe('patch 2 {"title":"Mine"}');
    expect(desk.conflicts.first()).toBeNull();
  });

  test("what was changed elsewhere in the same field asks the user, and theirs is taken", async () => {
    knows(task());
    answers.push(stale(task({ version: 2, title: "Theirs" })));
    const changing = desk.patch(task(), { title: "Mine" });
    await vi.waitFor(() => expect(desk.conflicts.first()).not.toBeNull());
    desk.conflicts.decide("theirs");
    await expect(changing).resolves.toBeUndefined();
    expect(sees()?.title).toBe("Theirs");
    expect(toasts).toEqual([]);
  });

  test("from an old sight of the task conflicts without a request, when the news came by a frame", async () => {
    knows(task({ version: 2, title: "Theirs" }));
    void desk.patch(task({ version: 1 }), { title: "Mine" });
    await vi.waitFor(() => expect(desk.conflicts.first()).not.toBeNull());
    expect(asked).toEqual([]);
  });

  test("of all that follow sends what the task has already, since the series may not have it", async () => {
    knows(task({ version: 2, title: "Mine" }));
    answers.push(task({ version: 2, title: "Mine" }));
    await desk.patch(task({ version: 1 }), { title: "Mine" }, { scope: "following" });
    expect(asked).toEqual(['patch 2 {"title":"Mine"} following']);
  });

  test("offers to try again what failed in passing", async () => {
    knows(task());
    answers.push(refusal(503, "The database does not answer.", { retryAfter: 5 }));
    await desk.patch(task(), { title: "Mine" });
    expect(toasts).toMatchObject([
      {
        description: "The database does not answer. Try again in 5 seconds.",
        action: { label: "Try again" },
      },
    ]);
    answers.push(task({ version: 2, title: "Mine" }));
    toasts[0]?.action?.onPress();
    await vi.waitFor(() => expect(sees()?.version).toBe(2));
  });

  test("tells the field why it was refused", async () => {
    knows(task());
    const refused: ApiError[] = [];
    const error = refusal(422, "Wrong.", { fields: [{ field: "title", message: "must not be empty" }] });
    answers.push(error);
    await desk.patch(task(), { title: " " }, { refused: (e) => refused.push(e) });
    expect(refused).toEqual([error]);
  });

  test("offline says so", async () => {
    knows(task());
    answers.push(refusal(0, "The server cannot be reached."));
    await desk.patch(task(), { title: "Mine" });
    expect(toasts[0]?.description).toBe("You are offline. Nothing was changed.");
  });
});

describe("states", () => {
  test.each<[string, (t: Task) => Promise<void>, Partial<Task>, string, string]>([
    ["complete", (t) => desk.complete([t], true), { completed: true }, "complete 1 true", "complete 2 false"],
    ["delete", (t) => desk.remove([t]), { deleted_at: "2026-11-22T09:00:00Z" }, "delete 1", "restore 2"],
    ["skip", (t) => desk.skip(t), { skipped: true }, "skip 1", "complete 2 false"],
  ])("%s shows at once and can be undone", async (_, act, after, sent, back) => {
    knows(task());
    answers.push(task({ version: 2, ...after }));
    const acting = act(task());
    expect(shown(book).open).toEqual([]);
    await acting;
    expect(asked).toEqual([sent]);
    answers.push(task({ version: 3 }));
    await undo();
    expect(asked.at(-1)).toBe(back);
    expect(shown(book).open).toHaveLength(1);
  });

  test("meet a newer version without a question", async () => {
    knows(task());
    answers.push(
      stale(task({ version: 7, title: "Theirs" })),
      task({ version: 8, title: "Theirs", completed: true }),
    );
    await desk.complete([task()], true);
    expect(asked).toEqual(["complete 1 true", "complete 7 true"]);
  });

  test("of a task that is not there any more are told, and the row goes", async () => {
    knows(task());
    answers.push(refusal(404, "There is no such task."));
    await desk.complete([task()], true);
    expect(sees()).toBeUndefined();
    expect(toasts).toMatchObject([{ description: "There is no such task." }]);
  });

  test("a skipped occurrence that was completed is skipped again by undoing it", async () => {
    knows(task({ skipped: true }));
    answers.push(task({ version: 2, completed: true }));
    await desk.complete([task({ skipped: true })], true);
    answers.push(task({ version: 3 }), task({ version: 4, skipped: true }));
    await undo();
    expect(asked.slice(1)).toEqual(["complete 2 false", "skip 3"]);
  });

  test("a snooze that was sent twice rings once", async () => {
    knows(task());
    answers.push(stale(task({ version: 2, remind_at: ["2026-11-22T09:10:00Z"] })));
    await desk.snooze(task(), { minutes: 10 });
    expect(asked).toHaveLength(1);
    expect(toasts[0]?.title).toBe("Snoozed “Buy milk”");
  });
});

describe("several tasks", () => {
  const many = (n: number) => Array.from({ length: n }, (_, i) => task({ id: `t${i}`, title: `Task ${i}` }));
  const did = (tasks: readonly Task[], after: Partial<Task>): Outcome[] =>
    tasks.map((t, index) => ({ index, status: 200, task: { ...t, version: t.version + 1, ...after } }));

  test("go in requests of a hundred, with one toast and one undo", async () => {
    const tasks = many(250);
    knows(...tasks);
    for (const [from, to] of [
      [0, 100],
      [100, 200],
      [200, 250],
    ])
      answers.push(did(tasks.slice(from, to), { completed: true }));
    const completing = desk.complete(tasks, true);
    expect(shown(book).open).toEqual([]);
    await completing;
    expect(asked).toHaveLength(3);
    expect(toasts.map((t) => t.title)).toEqual(["Completed 250 tasks"]);
    expect(book.pending).toEqual([]);
  });

  test("of which some fail keep the others, and name those", async () => {
    const tasks = many(3);
    knows(...tasks);
    const [a, , c] = did(tasks, { deleted_at: "2026-11-22T09:00:00Z" }) as [Outcome, Outcome, Outcome];
    const problem = { title: "Conflict", status: 409, detail: "It cannot be." };
    answers.push([a, { index: 1, status: 409, problem }, c]);
    await desk.remove(tasks);
    expect(shown(book).open.map((t) => t.id)).toEqual(["t1"]);
    expect(toasts.map((t) => [t.title, t.description])).toEqual([
      ["Deleted 2 tasks", undefined],
      ["Not deleted: “Task 1”", "It cannot be."],
    ]);
  });

  test("of which one is stale try that one again", async () => {
    const tasks = many(2);
    knows(...tasks);
    const [a, b] = tasks as [Task, Task];
    const problem = { title: "Stale", status: 412, detail: "It changed.", current: { ...b, version: 9 } };
    answers.push([did([a], { completed: true })[0] as Outcome, { index: 1, status: 412, problem }]);
    answers.push(did([{ ...b, version: 9 }], { completed: true }));
    await desk.complete(tasks, true);
    expect(asked).toEqual(["batch complete t0 1, complete t1 1", "batch complete t1 9"]);
    expect(toasts.map((t) => t.title)).toEqual(["Completed 2 tasks"]);
  });

  test("that cannot be sent are all taken back, with one toast", async () => {
    const tasks = many(150);
    knows(...tasks);
    answers.push(refusal(0, "The server cannot be reached."));
    await desk.complete(tasks, true);
    expect(asked).toHaveLength(1);
    expect(shown(book).open).toHaveLength(150);
    expect(toasts.map((t) => t.title)).toEqual(["Not completed: 150 tasks"]);
  });

  test("each get their own change and go back each to their own", async () => {
    const tasks = [task({ id: "a", due_date: "2026-12-01" }), task({ id: "b", due_date: null })];
    knows(...tasks);
    const patch = (): TaskPatch => ({ due_date: "2026-12-24" });
    answers.push(did(tasks, { due_date: "2026-12-24" }));
    await desk.patchAll(tasks, patch, "Moved 2 tasks");
    expect(sees("b")?.due_date).toBe("2026-12-24");
    answers.push(tasks.map((t, index) => ({ index, status: 200, task: { ...t, version: 3 } })));
    await undo();
    expect([sees("a")?.due_date, sees("b")?.due_date]).toEqual(["2026-12-01", null]);
    expect(toasts.map((t) => t.title)).toEqual(["Moved 2 tasks"]);
  });
});
