import type { Task } from "../model";
import { type Known, type Shelf, isGone, isOpen, merge } from "./merge";

/** A change that shows already and of which the server has not been heard yet. */
export type Pending = {
  readonly key: number;
  /** The task's id, or the temporary one of a task that is being created. */
  readonly id: string;
  /** The task as it is to be shown; undefined if it is not there. */
  readonly show: (task: Task | undefined) => Task | undefined;
};

/**
 * All that the page knows of the user's tasks: what the server said, and apart from it what was done here and is under way.
 * What is shown is the second laid over the first, so that news from elsewhere never undoes a change that is under way, and
 * taking a change back is to forget it.
 */
export type Book = {
  readonly known: Shelf;
  readonly pending: readonly Pending[];
  /** The ids that temporary ones became. */
  readonly born: ReadonlyMap<string, string>;
};

export const emptyBook: Book = { known: new Map(), pending: [], born: new Map() };

/** More temporary ids than this are not remembered. */
const mostBorn = 1000;

export function heard(book: Book, news: Iterable<Known>): Book {
  const known = merge(book.known, news);
  return known === book.known ? book : { ...book, known };
}

export function begun(book: Book, changes: readonly Pending[]): Book {
  return { ...book, pending: [...book.pending, ...changes] };
}

/** The changes are no longer under way; news is what the server made of them, nothing where it refused. */
export function settled(book: Book, keys: ReadonlySet<number>, news: Iterable<Known>): Book {
  return heard({ ...book, pending: book.pending.filter((p) => !keys.has(p.key)) }, news);
}

/** The temporary row became a task, in one step: at no time are there two rows, or none. */
export function wasBorn(book: Book, key: number, temporary: string, task: Task): Book {
  const born = new Map(book.born).set(temporary, task.id);
  for (const old of born.keys()) {
    if (born.size <= mostBorn) break;
    born.delete(old);
  }
  return { ...settled(book, new Set([key]), [task]), born };
}

/** The id that the server knows the task by. */
export function idOf(book: Book, id: string): string {
  return book.born.get(id) ?? id;
}

/** What the server said last of the task. */
export function knownTask(book: Book, id: string): Task | undefined {
  const known = book.known.get(idOf(book, id));
  return known && !isGone(known) ? known : undefined;
}

type Shown = { all: ReadonlyMap<string, Task>; open: readonly Task[]; keys: ReadonlyMap<string, string> };

// One reckoning serves all who look at the same book.
const reckoned = new WeakMap<Book, Shown>();

/** The tasks as they are to be shown, by id, and those that are open. */
export function shown(book: Book): Shown {
  const before = reckoned.get(book);
  if (before) return before;
  const all = new Map<string, Task>();
  for (const known of book.known.values()) if (!isGone(known)) all.set(known.id, known);
  for (const change of book.pending) {
    const id = idOf(book, change.id);
    const next = change.show(all.get(id));
    if (next) all.set(id, next);
  }
  const keys = new Map([...book.born].map(([temporary, id]) => [id, temporary]));
  const result = { all, open: [...all.values()].filter(isOpen), keys };
  reckoned.set(book, result);
  return result;
}

/**
 * What is known after everything open was loaded anew: what was open before the load, was not in it and has not changed
 * since is open no more, nobody knows what it is now, and it is forgotten.
 */
export function reloaded(book: Book, before: Shelf, seen: ReadonlySet<string>): Book {
  const known = new Map(book.known);
  for (const [id, one] of before)
    if (!isGone(one) && isOpen(one) && !seen.has(id) && known.get(id) === one) known.delete(id);
  return known.size === book.known.size ? book : { ...book, known };
}
