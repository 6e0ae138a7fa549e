import { describe, expect, test } from "vitest";

import type { TaskPatch } from "../model";
import { changed, completed, inverse, rebase, same } from "./changes";
import { task } from "./fixture";

const weekly = { rule: "FREQ=WEEKLY", anchor: "schedule", time_zone: null, catch_up: "latest" } as const;

describe("a patch that is shown before the server answers", () => {
  test("touches what it names and nothing else", () => {
    const before = task({ description: "2 litres", tags: ["shop"] });
    expect(changed(before, { title: "Buy oat milk" })).toEqual({ ...before, title: "Buy oat milk" });
  });

  test("sets what is null to its default", () => {
    const before = task({
      description: "x",
      priority: "high",
      tags: ["a"],
      reminders: [5],
      remind_at: ["2026-12-01T09:00:00Z"],
      due_date: "2026-12-01",
      recurrence: weekly,
    });
    const patch: TaskPatch = {
      description: null,
      priority: null,
      tags: null,
      reminders: null,
      remind_at: null,
      due_date: null,
      recurrence: null,
    };
    expect(changed(before, patch)).toEqual(task());
  });

  test("has tags in order and once, as the server keeps them", () => {
    expect(changed(task(), { tags: ["b", "a", "b"] }).tags).toEqual(["a", "b"]);
  });

  test.each<[TaskPatch["recurrence"], unknown]>([
    ["daily", { ...weekly, rule: "FREQ=DAILY" }],
    [{ anchor: "completion" }, { ...weekly, anchor: "completion" }],
    [{ time_zone: "Europe/Oslo" }, { ...weekly, time_zone: "Europe/Oslo" }],
    [{ rule: "FREQ=YEARLY" }, { ...weekly, rule: "FREQ=YEARLY" }],
    [null, null],
  ])("merges the recurrence %o into the present one", (patch, after) => {
    expect(changed(task({ recurrence: weekly }), { recurrence: patch }).recurrence).toEqual(after);
  });

  test("completes, and what was skipped is skipped no more", () => {
    const now = new Date("2026-11-21T08:00:00Z");
    const after = completed(task({ skipped: true, skipped_at: "2026-11-20T08:00:00Z" }), true, now);
    expect(after).toEqual(task({ completed: true, completed_at: "2026-11-21T08:00:00.000Z" }));
  });

  test("is undone by its inverse", () => {
    const before = task({ title: "A", tags: ["x"], due_date: "2026-12-01", recurrence: weekly });
    const patch: TaskPatch = { title: "B", tags: ["y"], due_date: null, recurrence: null };
    const back = inverse(before, patch);
    expect(Object.keys(back)).toEqual(Object.keys(patch));
    expect(changed(changed(before, patch), back)).toEqual(before);
  });
});

describe("a patch that meets a newer version", () => {
  const base = task({ title: "A", description: "d", tags: ["home", "old"], reminders: [10] });

  test("goes on as it is when the other change was of other fields", () => {
    const current = { ...base, version: 2, description: "theirs" };
    expect(rebase(base, { title: "Mine" }, current)).toEqual({ patch: { title: "Mine" }, clashes: [] });
  });

  test("clashes when both changed the same field to different values", () => {
    const current = { ...base, version: 2, title: "Theirs" };
    const { clashes, patch } = rebase(base, { title: "Mine", priority: "high" }, current);
    expect(clashes).toEqual(["title"]);
    expect(patch).toEqual({ priority: "high" });
  });

  test("has nothing left to do for a field that both changed to the same", () => {
    const current = { ...base, version: 2, title: "Same" };
    expect(rebase(base, { title: "Same" }, current)).toEqual({ patch: {}, clashes: [] });
  });

  test("keeps both sides' additions and removals of a list", () => {
    const current = { ...base, version: 2, tags: ["home", "old", "theirs"], reminders: [] };
    const { patch, clashes } = rebase(base, { tags: ["home", "mine"], reminders: [10, 60] }, current);
    expect(clashes).toEqual([]);
    expect(patch).toEqual({ tags: ["home", "mine", "theirs"], reminders: [60] });
  });

  test("does not take another way of writing an instant for a change", () => {
    const from = task({ due_date: "2026-12-01T10:00:00+01:00" });
    const current = task({ version: 2, due_date: "2026-12-01T09:00:00Z", title: "Theirs" });
    const mine = { due_date: "2026-12-02T10:00:00+01:00" };
    expect(rebase(from, mine, current)).toEqual({ patch: mine, clashes: [] });
  });

  test("clashes when the rule was changed on both sides", () => {
    const from = task({ recurrence: weekly });
    const current = task({ version: 2, recurrence: { ...weekly, rule: "FREQ=DAILY" } });
    expect(rebase(from, { recurrence: "monthly" }, current).clashes).toEqual(["recurrence"]);
    expect(rebase(from, { recurrence: "daily" }, current)).toEqual({ patch: {}, clashes: [] });
  });
});

test.each([
  ["2026-12-01T09:00:00Z", "2026-12-01T10:00:00.000+01:00", true],
  ["2026-12-01", "2026-12-01T00:00:00Z", false],
  ["2026-12-01", "2026-12-01", true],
  [["a", "b"], ["a", "b"], true],
  [["a", "b"], ["b", "a"], false],
  [{ a: 1, b: null }, { b: null, a: 1 }, true],
  [{ a: 1 }, { a: 1, b: 2 }, false],
  [null, {}, false],
  [null, null, true],
])("%o and %o are the same: %s", (a, b, expected) => {
  expect(same(a, b)).toBe(expected);
});
