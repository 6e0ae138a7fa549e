import type { ToastOptions } from "@/components/ui/toast";
import { ApiError } from "@/lib/api/problem";
import { uuid } from "@/lib/uuid";

import type { NewTask, Scope, Task, TaskPatch } from "../model";
import { type Book, type Pending, begun, heard, knownTask, settled, shown, wasBorn } from "./book";
import { changed, completed, fieldsOf, inverse, rebase, same } from "./changes";
import { Conflicts } from "./conflicts";
import { type Door, type Operation, type Snooze, currentOf } from "./door";
import type { Known } from "./merge";
import { persist } from "./persist";
import { Queue } from "./queue";
import { named, reason, reasons, saidOf, these } from "./words";

const mostOperations = 100;
const mostRebases = 4;
const mostUnsure = 50;

/** What the desk needs of the page. */
export type Surroundings = {
  door: Door;
  read: () => Book;
  write: (change: (book: Book) => Book) => void;
  say: (toast: ToastOptions) => void;
  /** Called when a change is no longer under way. */
  settled: () => void;
};

type Edit = { base: Task; readonly patch: TaskPatch };
type Failed = { task: Task; error: unknown };
type PatchOptions = { scope?: Scope; said?: string; refused?: (error: ApiError) => void };

/** A change that leaves the task in a named state. To do it twice is to do it once, so that it never conflicts. */
type Kind = "complete" | "reopen" | "delete" | "restore" | "skip";

const kinds: Record<Kind, { show: (task: Task) => Task; did: string; didNot: string }> = {
  complete: { show: (t) => completed(t, true), did: "Completed", didNot: "Not completed" },
  reopen: { show: (t) => completed(t, false), did: "Reopened", didNot: "Not reopened" },
  delete: {
    show: (t) => ({ ...t, deleted_at: t.deleted_at ?? new Date().toISOString() }),
    did: "Deleted",
    didNot: "Not deleted",
  },
  restore: { show: (t) => ({ ...t, deleted_at: null }), did: "Restored", didNot: "Not restored" },
  skip: {
    show: (t) => ({ ...t, skipped: true, skipped_at: new Date().toISOString() }),
    did: "Skipped",
    didNot: "Not skipped",
  },
};

/** The task was never created, which was said already. */
class Unborn extends Error {}

class Clash extends Error {
  constructor(
    readonly base: Task,
    readonly current: Task,
  ) {
    super("both changed the same field");
  }
}

/**
 * Does what the user wants with tasks: shows it at once, sends it, and takes it back with the reason if the server refuses.
 * Changes of one task are sent one behind the other, each made from the version the one before left, so that quick edits
 * never conflict with each other.
 */
export class Desk {
  readonly conflicts = new Conflicts();
  readonly #around: Surroundings;
  readonly #queue = new Queue();
  /** Patches that are under way, by row. */
  readonly #edits = new Map<string, Set<Edit>>();
  /** Keys of creations of which nobody knows whether they took effect, by body: sent again, they must not do so twice. */
  readonly #unsure = new Map<string, string>();
  #creating = 0;
  #keys = 0;

  constructor(around: Surroundings) {
    this.#around = around;
  }

  /** Whether a change of this task is under way. */
  busy(id: string): boolean {
    return this.#queue.busy(this.#row(id));
  }

  /** Whether a task is being created, so that an unknown one may be ours. */
  get creating(): boolean {
    return this.#creating > 0;
  }

  readonly create = async (task: NewTask): Promise<Task | undefined> => {
    const temporary = uuid();
    const row = newRow(temporary, task);
    const [key] = this.#begin([{ id: temporary, show: () => row }]);
    const body = JSON.stringify(task);
    const once = this.#unsure.get(body) ?? uuid();
    this.#creating++;
    try {
      const made = await this.#queue.run([temporary], async () => {
        const made = await persist(() => this.#around.door.create(task, once));
        this.#around.write((book) => wasBorn(book, key ?? 0, temporary, made));
        return made;
      });
      this.#unsure.delete(body);
      this.#say({ title: `Added ${named(made)}`, undo: () => this.#set("delete", [made], true) });
      return made;
    } catch (error) {
      this.#around.write((book) => settled(book, new Set([key ?? 0]), []));
      if (error instanceof ApiError && error.passing) this.#remember(body, once);
      this.#fail(`Not added: ${named(task)}`, error);
      return undefined;
    } finally {
      this.#creating--;
      this.#around.settled();
    }
  };

  readonly patch = async (
    task: Task,
    patch: TaskPatch,
    options: PatchOptions = {},
  ): Promise<Task | undefined> => {
    try {
      const { before, after } = await this.#patched(task, patch, options.scope);
      const title = options.said ?? saidOf(patch);
      const back = inverse(before, patch);
      if (title !== "")
        this.#say({ title, undo: () => this.patch(after, back, { scope: options.scope, said: "" }) });
      return after;
    } catch (error) {
      if (error instanceof Clash) return this.#ask(error, patch, options);
      this.#fail(`Not changed: ${named(task)}`, error, () => this.patch(task, patch, options));
      if (error instanceof ApiError) options.refused?.(error);
      return undefined;
    }
  };

  readonly complete = (tasks: readonly Task[], done: boolean): Promise<void> =>
    this.#set(done ? "complete" : "reopen", tasks);

  readonly remove = (tasks: readonly Task[]): Promise<void> => this.#set("delete", tasks);

  readonly restore = (tasks: readonly Task[]): Promise<void> => this.#set("restore", tasks);

  readonly skip = (task: Task): Promise<void> => this.#set("skip", [task]);

  readonly snooze = async (task: Task, when: Snooze): Promise<void> => {
    let before = task;
    const until = "until" in when ? when.until : new Date(Date.now() + when.minutes * 60_000).toISOString();
    const show = (t: Task) => changed(t, { remind_at: [...t.remind_at, until] });
    try {
      const after = await this.#change(task, show, async (current, tries) => {
        if (tries === 0) before = current;
        // Sent again after an answer that was lost: it took effect, a second time would ring twice.
        else if (current.remind_at.some((at) => !before.remind_at.some((was) => same(at, was))))
          return current;
        return this.#around.door.snooze(current, when);
      });
      const back = { remind_at: before.remind_at };
      this.#say({ title: `Snoozed ${named(after)}`, undo: () => this.patch(after, back, { said: "" }) });
    } catch (error) {
      this.#fail(`Not snoozed: ${named(task)}`, error, () => this.snooze(task, when));
    }
  };

  readonly patchAll = async (
    tasks: readonly Task[],
    changes: (task: Task) => TaskPatch,
    said: string,
  ): Promise<void> => {
    const patches = new Map(tasks.map((task) => [task.id, changes(task)]));
    const touched = tasks.filter((task) => fieldsOf(patches.get(task.id) ?? {}).length > 0);
    const before = new Map<string, Task>();
    const { done, failed } = await this.#batch(
      touched,
      (task) => (now) => changed(now, patches.get(task.id) ?? {}),
      (task, current) => {
        const { patch, clashes } = rebase(task, patches.get(task.id) ?? {}, current);
        if (clashes.length > 0) throw new ApiError({ status: 412, detail: "It was changed elsewhere." });
        before.set(current.id, current);
        if (fieldsOf(patch).length === 0) return undefined;
        return { op: "update", id: current.id, version: current.version, changes: patch };
      },
    );
    const undo = () =>
      this.patchAll(
        done,
        (after) => {
          const was = before.get(after.id);
          return was ? inverse(was, patches.get(after.id) ?? {}) : {};
        },
        "",
      );
    if (done.length > 0 && said !== "") this.#say({ title: said, undo });
    this.#failAll("Not changed", failed, (again) =>
      this.patchAll(again, (t) => patches.get(t.id) ?? {}, said),
    );
  };

  async #set(kind: Kind, tasks: readonly Task[], quiet = false): Promise<void> {
    const { show, did, didNot } = kinds[kind];
    const { done, failed } =
      tasks.length === 1
        ? await this.#one(tasks[0] as Task, show, (current) => this.#send(kind, current))
        : await this.#batch(
            tasks,
            () => show,
            (_, current) => ({ op: kind, id: current.id, version: current.version }),
          );
    if (done.length > 0 && !quiet)
      this.#say({ title: `${did} ${these(done)}`, undo: () => this.#unset(kind, done, tasks) });
    this.#failAll(didNot, failed, (again) => this.#set(kind, again, quiet));
  }

  async #unset(kind: Kind, done: readonly Task[], before: readonly Task[]): Promise<void> {
    const skipped = new Set(before.filter((task) => task.skipped).map((task) => task.id));
    const back = (task: Task): Kind => {
      if (kind === "delete") return "restore";
      if (kind === "restore") return "delete";
      if (kind !== "reopen") return skipped.has(task.id) ? "skip" : "reopen";
      return skipped.has(task.id) ? "skip" : "complete";
    };
    for (const next of ["restore", "delete", "reopen", "complete"] as const) {
      const group = done.filter((task) => back(task) === next);
      if (group.length > 0) await this.#set(next, group, true);
    }
    // An occurrence that was skipped has to be open to be skipped again.
    for (const task of done.filter((task) => back(task) === "skip")) {
      if (kind !== "reopen") await this.#set("reopen", [task], true);
      await this.#set("skip", [task], true);
    }
  }

  #send(kind: Kind, current: Task): Promise<Task> {
    const { door } = this.#around;
    switch (kind) {
      case "complete":
        return door.complete(current, true);
      case "reopen":
        return door.complete(current, false);
      case "delete":
        return door.remove(current);
      case "restore":
        return door.restore(current);
      case "skip":
        return door.skip(current);
    }
  }

  async #patched(task: Task, patch: TaskPatch, scope?: Scope): Promise<{ before: Task; after: Task }> {
    const row = this.#row(task.id);
    const edit: Edit = { base: task, patch };
    const edits = this.#edits.get(row) ?? new Set();
    this.#edits.set(row, edits.add(edit));
    let before = task;
    try {
      const after = await this.#change(
        task,
        (now) => changed(now, patch),
        async (current, tries) => {
          const rebased = rebase(edit.base, patch, current);
          if (rebased.clashes.length > 0) throw new Clash(edit.base, current);
          if (tries === 0) before = current;
          // The series may need what the task has already.
          const left = scope === "following" ? { ...patch, ...rebased.patch } : rebased.patch;
          return fieldsOf(left).length > 0 ? this.#around.door.patch(current, left, scope) : current;
        },
      );
      return { before, after };
    } finally {
      edits.delete(edit);
      if (edits.size === 0) this.#edits.delete(row);
      // Those behind were made from what this one showed; now it is known what became of it.
      const known = knownTask(this.#around.read(), task.id);
      if (known) for (const behind of edits) behind.base = taken(behind.base, known, patch);
    }
  }

  /** Both versions are offered. The change is not shown meanwhile. */
  async #ask(clash: Clash, mine: TaskPatch, options: PatchOptions): Promise<Task | undefined> {
    const { base, current } = clash;
    const decision = await this.conflicts.raise({ base, mine, current });
    return decision === "mine" ? this.patch(current, mine, options) : undefined;
  }

  async #one(
    task: Task,
    show: (task: Task) => Task,
    send: (current: Task) => Promise<Task>,
  ): Promise<{ done: Task[]; failed: Failed[] }> {
    try {
      return { done: [await this.#change(task, show, send)], failed: [] };
    } catch (error) {
      return { done: [], failed: [{ task, error }] };
    }
  }

  /** Shows a change of one task and sends it, again from the newest version where that is another than was known. */
  async #change(
    task: Task,
    show: (task: Task) => Task,
    send: (current: Task, tries: number) => Promise<Task>,
  ): Promise<Task> {
    const keys = this.#begin([{ id: task.id, show: (now) => now && show(now) }]);
    try {
      return await this.#queue.run([this.#row(task.id)], async () => {
        let news: Known[] = [];
        try {
          const after = await this.#sent(task, send);
          news = [after];
          return after;
        } catch (error) {
          if (error instanceof ApiError && error.status === 404) news = [{ gone: true, id: this.#id(task) }];
          throw error;
        } finally {
          this.#around.write((book) => settled(book, new Set(keys), news));
        }
      });
    } finally {
      this.#around.settled();
    }
  }

  async #sent(task: Task, send: (current: Task, tries: number) => Promise<Task>): Promise<Task> {
    for (let tries = 0; ; tries++) {
      const current = this.#current(task);
      try {
        return await persist(() => send(current, tries));
      } catch (error) {
        const newer = currentOf(error);
        if (!newer || tries >= mostRebases) throw error;
        this.#around.write((book) => heard(book, [newer]));
      }
    }
  }

  /** As #change for several tasks, a hundred in a request. What failed is taken back by itself. */
  async #batch(
    tasks: readonly Task[],
    show: (task: Task) => (now: Task) => Task,
    operation: (task: Task, current: Task) => Operation | undefined,
  ): Promise<{ done: Task[]; failed: Failed[] }> {
    const done: Task[] = [];
    const failed: Failed[] = [];
    const keys = this.#begin(tasks.map((task) => ({ id: task.id, show: (now) => now && show(task)(now) })));
    let broken: unknown;
    for (let start = 0; start < tasks.length; start += mostOperations) {
      const some = tasks.slice(start, start + mostOperations);
      const rows = some.map((task) => this.#row(task.id));
      await this.#queue.run(rows, async () => {
        const news: Known[] = [];
        try {
          if (broken !== undefined) throw broken;
          await this.#rounds(some, operation, done, failed, news);
        } catch (error) {
          broken = error;
          const over = new Set([...done, ...failed.map((f) => f.task)].map((t) => this.#row(t.id)));
          failed.push(...some.filter((t) => !over.has(this.#row(t.id))).map((task) => ({ task, error })));
        } finally {
          const ours = new Set(keys.slice(start, start + mostOperations));
          this.#around.write((book) => settled(book, ours, news));
        }
      });
      this.#around.settled();
    }
    return { done, failed };
  }

  async #rounds(
    tasks: readonly Task[],
    operation: (task: Task, current: Task) => Operation | undefined,
    done: Task[],
    failed: Failed[],
    news: Known[],
  ): Promise<void> {
    let left = [...tasks];
    for (let round = 0; left.length > 0; round++) {
      const sent: Task[] = [];
      const operations: Operation[] = [];
      for (const task of left) {
        try {
          const current = this.#current(task);
          const op = operation(task, current);
          if (op) {
            operations.push(op);
            sent.push(task);
          } else done.push(current);
        } catch (error) {
          failed.push({ task, error });
        }
      }
      left = [];
      if (operations.length === 0) return;
      const outcomes = await persist(() => this.#around.door.batch(operations));
      sent.forEach((task, i) => {
        const { status = 0, task: after, problem } = outcomes[i] ?? {};
        if (after) {
          done.push(after);
          news.push(after);
        } else if (status === 412 && problem?.current && round < mostRebases) {
          this.#around.write((book) => heard(book, problem.current ? [problem.current] : []));
          left.push(task);
        } else {
          if (status === 404) news.push({ gone: true, id: this.#id(task) });
          const detail = problem?.detail ?? "There was no answer for it.";
          failed.push({ task, error: new ApiError({ status, detail, fields: problem?.errors }) });
        }
      });
    }
  }

  #begin(changes: Omit<Pending, "key">[]): number[] {
    const pending = changes.map((change) => ({ ...change, key: ++this.#keys }));
    this.#around.write((book) => begun(book, pending));
    return pending.map((p) => p.key);
  }

  /** What the server said last of the task, with its version. */
  #current(task: Task): Task {
    const current = knownTask(this.#around.read(), task.id) ?? task;
    if (current.version === 0) throw new Unborn();
    return current;
  }

  #id(task: Task): string {
    return this.#around.read().born.get(task.id) ?? task.id;
  }

  /** What the task's changes queue up behind: its id, or the temporary one it began with. */
  #row(id: string): string {
    return shown(this.#around.read()).keys.get(id) ?? id;
  }

  #remember(body: string, once: string): void {
    this.#unsure.set(body, once);
    const [oldest] = this.#unsure.keys();
    if (this.#unsure.size > mostUnsure && oldest !== undefined) this.#unsure.delete(oldest);
  }

  #say({ title, undo }: { title: string; undo: () => void }): void {
    this.#around.say({ title, action: { label: "Undo", onPress: undo } });
  }

  #fail(title: string, error: unknown, again?: () => void): void {
    if (error instanceof Unborn) return;
    const passing = error instanceof ApiError && error.passing;
    const action = passing && again ? { label: "Try again", onPress: again } : undefined;
    this.#around.say({ title, description: reason(error), tone: "danger", duration: 10_000, action });
  }

  #failAll(didNot: string, all: readonly Failed[], again: (tasks: Task[]) => void): void {
    const failed = all.filter(({ error }) => !(error instanceof Unborn));
    const [first] = failed;
    if (!first) return;
    if (failed.length === 1)
      return this.#fail(`${didNot}: ${named(first.task)}`, first.error, () => again([first.task]));
    const passing = failed.every(({ error }) => error instanceof ApiError && error.passing);
    const alike = failed.every(({ error }) => reason(error) === reason(first.error));
    this.#around.say({
      title: `${didNot}: ${failed.length} tasks`,
      description: alike ? reason(first.error) : reasons(failed),
      tone: "danger",
      duration: 15_000,
      action: passing
        ? { label: "Try again", onPress: () => again(failed.map(({ task }) => task)) }
        : undefined,
    });
  }
}

/** The base with the fields of the patch as they are now. */
function taken(base: Task, known: Task, patch: TaskPatch): Task {
  const fields = fieldsOf(patch).map((field) => [field, known[field]] as const);
  return { ...base, ...Object.fromEntries(fields) };
}

function newRow(id: string, task: NewTask): Task {
  const now = new Date().toISOString();
  const blank: Task = {
    id,
    title: task.title,
    description: "",
    completed: false,
    completed_at: null,
    skipped: false,
    skipped_at: null,
    priority: "none",
    tags: [],
    due_date: null,
    reminders: [],
    remind_at: [],
    recurrence: null,
    series_id: null,
    occurrence: null,
    version: 0,
    created_at: now,
    updated_at: now,
    deleted_at: null,
  };
  return changed(blank, task);
}
