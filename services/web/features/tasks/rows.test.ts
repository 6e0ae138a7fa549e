import { expect, test } from "vitest";

import type { Task } from "./model";
import { rowsOf as rowsNamed, withLeaving } from "./rows";
import type { Section } from "./select";

const section = (title: string | null, ...ids: string[]): Section => ({
  key: title ?? "only",
  title,
  tasks: ids.map((id) => ({ id, title: id }) as Task),
});
const rowsOf = (sections: Section[]) => rowsNamed(sections, (task) => task.id);
const keys = (rows: ReturnType<typeof withLeaving>) =>
  rows.map((r) => (r.kind === "task" && r.leaving ? `-${r.key}` : r.key));

test("tasks are counted through all sections, headings are not", () => {
  const rows = rowsOf([section("Late", "a", "b"), section("Today", "c")]);
  expect(rows.map((r) => (r.kind === "task" ? r.place : r.key))).toEqual([
    "heading Late",
    1,
    2,
    "heading Today",
    3,
  ]);
});

test("a section without a title has no heading", () => {
  expect(keys(rowsOf([section(null, "a")]))).toEqual(["a"]);
});

test("what has left is seen off where it stood", () => {
  const old = rowsOf([section(null, "a", "b", "c", "d")]);
  expect(keys(withLeaving(old, rowsOf([section(null, "c")])))).toEqual(["-a", "-b", "c", "-d"]);
});

test("what moved to another place does not leave", () => {
  const old = rowsOf([section("Today", "a"), section("Tomorrow", "b")]);
  const rows = rowsOf([section("Tomorrow", "b", "a")]);
  expect(withLeaving(old, rows)).toBe(rows);
});

test("what was already leaving is not seen off twice", () => {
  const old = withLeaving(rowsOf([section(null, "a", "b", "c")]), rowsOf([section(null, "b", "c")]));
  expect(keys(withLeaving(old, rowsOf([section(null, "c")])))).toEqual(["-b", "c"]);
});

test("a new task that gets its lasting id does not leave", () => {
  const lasting = (task: Pick<Task, "id">) => (task.id === "lasting" ? "passing" : task.id);
  const rows = rowsNamed([section(null, "lasting")], lasting);
  expect(withLeaving(rowsNamed([section(null, "passing")], lasting), rows)).toBe(rows);
  expect(keys(rows)).toEqual(["passing"]);
});

test("another list is shown at once", () => {
  const many = Array.from({ length: 30 }, (_, i) => `t${i}`);
  const rows = rowsOf([section(null, "x")]);
  expect(withLeaving(rowsOf([section(null, ...many)]), rows)).toBe(rows);
});
