import { describe, expect, test } from "vitest";

import { dice, shuffled, task } from "./fixture";
import { type Known, type Shelf, isOpen, merge } from "./merge";

const none: Shelf = new Map();

/** A life of a task: each version is one change further, and some lives end with a purge. */
function life(id: string, random: () => number): Known[] {
  const all: Known[] = [];
  let now = task({ id, version: 1 });
  for (let version = 1; version <= 2 + Math.floor(random() * 6); version++) {
    const what = Math.floor(random() * 5);
    if (what === 0) now = { ...now, completed: !now.completed };
    if (what === 1) now = { ...now, deleted_at: now.deleted_at ? null : "2026-11-21T08:00:00.000Z" };
    if (what === 2) now = { ...now, skipped: !now.skipped };
    if (what >= 3) now = { ...now, title: `Title ${version}` };
    now = { ...now, version };
    all.push(now);
  }
  if (random() < 0.3) all.push({ gone: true, id });
  return all;
}

function plain(shelf: Shelf): unknown {
  return Object.fromEntries([...shelf].sort(([a], [b]) => a.localeCompare(b)));
}

describe("merging what is heard of tasks", () => {
  test("comes to the newest of each, in whichever order, pieces and repetitions it is heard", () => {
    for (let seed = 1; seed <= 200; seed++) {
      const random = dice(seed);
      const lives = ["a", "b", "c", "d"].map((id) => life(id, random));
      const newest = Object.fromEntries(lives.map((l) => [l.at(-1)?.id, l.at(-1)]));
      const news = shuffled([...lives.flat(), ...lives.flat()], random);
      let shelf = none;
      while (news.length > 0) shelf = merge(shelf, news.splice(0, 1 + Math.floor(random() * 4)));
      expect(plain(shelf), `seed ${seed}`).toEqual(newest);
    }
  });

  test("is the same map when nothing is new", () => {
    const shelf = merge(none, [task({ version: 3 }), { gone: true, id: "t2" }]);
    expect(merge(shelf, [task({ version: 3 }), task({ version: 2 }), task({ id: "t2", version: 9 })])).toBe(
      shelf,
    );
  });

  test("leaves what it was given as it was", () => {
    const shelf = merge(none, [task({ version: 1 })]);
    merge(shelf, [task({ version: 2, title: "Buy oat milk" })]);
    expect(shelf.get("t1")).toEqual(task({ version: 1 }));
  });

  test.each([
    ["an old page does not reopen what was completed", { completed: true }, {}],
    ["an old page does not bring back what was deleted", { deleted_at: "2026-11-21T08:00:00.000Z" }, {}],
    ["an old page does not bring back what was skipped", { skipped: true }, {}],
    ["an old page does not delete what was restored", {}, { deleted_at: "2026-11-21T08:00:00.000Z" }],
  ])("%s", (_, newer, older) => {
    const shelf = merge(merge(none, [task({ version: 5, ...newer })]), [task({ version: 4, ...older })]);
    expect(shelf.get("t1")).toEqual(task({ version: 5, ...newer }));
  });

  test("what is purged stays so, whichever version is heard of later", () => {
    const shelf = merge(merge(none, [{ gone: true, id: "t1" }]), [task({ version: 99 })]);
    expect(shelf.get("t1")).toEqual({ gone: true, id: "t1" });
  });
});

test.each([
  [{}, true],
  [{ completed: true }, false],
  [{ skipped: true }, false],
  [{ deleted_at: "2026-11-21T08:00:00.000Z" }, false],
])("a task with %o is open: %s", (given, open) => {
  expect(isOpen(task(given))).toBe(open);
});
