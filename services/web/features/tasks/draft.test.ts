import { beforeEach, expect, test } from "vitest";

import { rebase } from "./data/changes";
import { afterSaving, draftOf, isToSave, readDraft, setDraft, typed } from "./draft";
import type { Task } from "./model";

const key = "title";
const task = { id: "t", title: "Call Ada", description: "", tags: [], priority: "none" } as unknown as Task;

beforeEach(() => setDraft(key, null));

test("a draft remembers the value typing began with, whatever comes from elsewhere meanwhile", () => {
  const first = typed(null, "t", "Call Bo", "Call");
  expect(typed(first, "t", "Call Bob", "Call Ada")).toEqual({ id: "t", text: "Call Bob", begun: "Call" });
});

test("a draft of another task begins anew", () => {
  const first = typed(null, "t", "Call Bob", "Call");
  expect(typed(first, "u", "Walk", "Run").begun).toBe("Run");
});

test("what is saved from a draft clashes with what came meanwhile", () => {
  const draft = typed(typed(null, "t", "Call B", "Call"), "t", "Call Bob", task.title);
  expect(isToSave(draft.text, draft.begun, task.title)).toBe(true);
  expect(rebase({ ...task, title: draft.begun }, { title: draft.text }, task).clashes).toEqual(["title"]);
});

test("a draft does not clash with another field that changed meanwhile", () => {
  const now = { ...task, title: "Call", priority: "high" } as Task;
  const draft = typed(null, "t", "Call Bob", "Call");
  expect(rebase({ ...now, title: draft.begun }, { title: draft.text }, now).clashes).toEqual([]);
});

test("the same text as theirs is nothing to save", () => {
  expect(isToSave("Call Ada", "Call", "Call Ada")).toBe(false);
});

test("a text left as it was when typing began is nothing to save, and theirs stays", () => {
  expect(isToSave("Call", "Call", "Call Ada")).toBe(false);
});

test("after saving there is no draft", () => {
  const sent = typed(null, "t", " Call Bob ", "Call");
  expect(afterSaving(sent, sent, "Call Bob")).toBeNull();
});

test("what was typed while saving began with what was saved", () => {
  const sent = typed(null, "t", "Call Bob", "Call");
  const now = typed(sent, "t", "Call Bobby", "Call");
  expect(afterSaving(now, sent, "Call Bob")).toEqual({ id: "t", text: "Call Bobby", begun: "Call Bob" });
});

test("a draft is kept with what it began with", () => {
  const draft = typed(null, "t", "Call Bob", "Call");
  setDraft(key, draft);
  expect(readDraft(sessionStorage.getItem("taskflow.draft.title"))).toEqual(draft);
  expect(draftOf(key)).toBe(draft);
});

test.each(["Call Bob", "null", '{"id":"t","text":"Call Bob"}', "7"])(
  "%s in the storage is no draft",
  (stored) => {
    expect(readDraft(stored)).toBeNull();
  },
);
