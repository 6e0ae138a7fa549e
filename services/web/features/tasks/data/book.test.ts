import { expect, test } from "vitest";

import type { Task } from "../model";
import { type Book, begun, emptyBook, heard, knownTask, reloaded, settled, shown, wasBorn } from "./book";
import { task } from "./fixture";

const titled = (title: string) => (now: Task | undefined) => now && { ...now, title };
const titles = (book: Book) => shown(book).open.map((t) => t.title);

test("news from elsewhere do not undo a change that is under way", () => {
  let book = heard(emptyBook, [task({ version: 1 })]);
  book = begun(book, [{ key: 1, id: "t1", show: titled("Mine") }]);
  book = heard(book, [task({ version: 2, title: "Theirs", priority: "high" })]);
  expect(shown(book).all.get("t1")).toMatchObject({ title: "Mine", priority: "high" });
});

test("a change that was refused leaves what the server has, not what was shown before", () => {
  let book = heard(emptyBook, [task({ version: 1, title: "Old" })]);
  book = begun(book, [{ key: 1, id: "t1", show: titled("Mine") }]);
  book = heard(book, [task({ version: 2, title: "Theirs" })]);
  book = settled(book, new Set([1]), []);
  expect(titles(book)).toEqual(["Theirs"]);
});

test("of two changes of one task the later shows, and stays when the first has ended", () => {
  let book = heard(emptyBook, [task({ version: 1 })]);
  book = begun(book, [{ key: 1, id: "t1", show: titled("First") }]);
  book = begun(book, [{ key: 2, id: "t1", show: titled("Second") }]);
  expect(titles(book)).toEqual(["Second"]);
  book = settled(book, new Set([1]), [task({ version: 2, title: "First" })]);
  expect(titles(book)).toEqual(["Second"]);
});

test("a new task is one row all the time, also if it is heard of before the answer comes", () => {
  const temporary = task({ id: "temp", version: 0, title: "New" });
  let book = begun(emptyBook, [{ key: 1, id: "temp", show: () => temporary }]);
  expect(titles(book)).toEqual(["New"]);
  const made = task({ id: "real", version: 1, title: "New" });
  expect(titles(wasBorn(book, 1, "temp", made))).toEqual(["New"]);
  book = wasBorn(heard(book, [made]), 1, "temp", made);
  expect(titles(book)).toEqual(["New"]);
  expect(shown(book).keys.get("real")).toBe("temp");
  expect(knownTask(book, "temp")).toBe(made);
});

test("a change of a row that is still being created shows, and goes on with the task it becomes", () => {
  const temporary = task({ id: "temp", version: 0, title: "New" });
  let book = begun(emptyBook, [{ key: 1, id: "temp", show: () => temporary }]);
  book = begun(book, [{ key: 2, id: "temp", show: titled("Newer") }]);
  expect(titles(book)).toEqual(["Newer"]);
  book = wasBorn(book, 1, "temp", task({ id: "real", title: "New" }));
  expect(titles(book)).toEqual(["Newer"]);
});

test("a creation that failed leaves no row, nor do changes of it", () => {
  const temporary = task({ id: "temp", version: 0 });
  let book = begun(emptyBook, [{ key: 1, id: "temp", show: () => temporary }]);
  book = begun(book, [{ key: 2, id: "temp", show: titled("Newer") }]);
  expect(titles(settled(book, new Set([1]), []))).toEqual([]);
});

test("a task that did not change is the same object, so that its row need not be drawn again", () => {
  const book = heard(emptyBook, [task({ id: "a" }), task({ id: "b" })]);
  const a = shown(book).all.get("a");
  const next = begun(book, [{ key: 1, id: "b", show: titled("Mine") }]);
  expect(shown(next).all.get("a")).toBe(a);
});

test("what was open before everything was loaded anew and is not in it is forgotten, unless it changed meanwhile", () => {
  let book = heard(emptyBook, [
    task({ id: "kept", title: "kept" }),
    task({ id: "missed", title: "missed" }),
    task({ id: "moved", title: "moved", version: 1 }),
    task({ id: "done", title: "done", completed: true }),
  ]);
  const before = book.known;
  book = heard(book, [task({ id: "moved", title: "moved", version: 2 }), task({ id: "new", title: "new" })]);
  book = reloaded(book, before, new Set(["kept"]));
  expect([...book.known.keys()].sort()).toEqual(["done", "kept", "moved", "new"]);
});
