import { expect, test } from "vitest";

import { differences } from "./conflict";
import type { Task } from "./model";

const base = {
  title: "Call",
  description: "",
  tags: ["home"],
  priority: "low",
  due_date: null,
} as unknown as Task;
const names = (found: ReturnType<typeof differences>) => found.map((d) => [d.field, d.clash]);

test("a field that both changed clashes", () => {
  const theirs = { ...base, title: "Call Ada" };
  expect(differences(base, { title: "Call Bob" }, theirs)).toEqual([
    { field: "title", base: "Call", mine: "Call Bob", theirs: "Call Ada", clash: true },
  ]);
});

test("fields that one side changed are shown and do not clash", () => {
  const theirs = { ...base, tags: ["home", "work"] };
  expect(names(differences(base, { priority: "high" }, theirs))).toEqual([
    ["priority", false],
    ["tags", false],
  ]);
});

test("what they changed stays theirs where I changed nothing", () => {
  const theirs = { ...base, tags: ["work"] };
  expect(differences(base, { title: "Call Bob" }, theirs).find((d) => d.field === "tags")?.mine).toEqual([
    "work",
  ]);
});

test("both having changed a field to the same is no clash", () => {
  const theirs = { ...base, title: "Call Ada" };
  expect(names(differences(base, { title: "Call Ada" }, theirs))).toEqual([["title", false]]);
});

test("what is as it was is not shown", () => {
  expect(differences(base, { title: "Call" }, { ...base, version: 9 })).toEqual([]);
});
