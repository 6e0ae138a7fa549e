import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { Fetcher } from "./fetcher";
import { task } from "./fixture";
import { type Known, type Shelf, merge } from "./merge";

let shelf: Shelf;
let server: Map<string, Known>;
let ours: Set<string>;
let asked: string[];
let atOnce: number;
let mostAtOnce: number;
let reloads: number;
let arrived: string[];
let failures: number;
let fetcher: Fetcher;

beforeEach(() => {
  vi.useFakeTimers();
  [shelf, server, ours, asked, arrived] = [new Map(), new Map(), new Set(), [], []];
  [atOnce, mostAtOnce, reloads, failures] = [0, 0, 0, 0];
  fetcher = new Fetcher({
    known: (id) => shelf.get(id),
    ours: (id) => ours.has(id),
    get: async (id) => {
      asked.push(id);
      mostAtOnce = Math.max(mostAtOnce, ++atOnce);
      await new Promise((resolve) => setTimeout(resolve, 10));
      atOnce--;
      if (failures-- > 0) throw new Error("away");
      return server.get(id) ?? { gone: true, id };
    },
    heard: (news) => (shelf = merge(shelf, news)),
    reload: () => {
      reloads++;
      shelf = merge(shelf, server.values());
      return Promise.resolve();
    },
    arrived: (ids) => arrived.push(...ids),
  });
});

afterEach(() => {
  fetcher.stop();
  vi.useRealTimers();
});

const passes = (milliseconds: number) => vi.advanceTimersByTimeAsync(milliseconds);
const changes = (id: string, version: number) => {
  server.set(id, task({ id, version }));
  fetcher.want(id, version);
};

test("a task that changed elsewhere is fetched, and arrives", async () => {
  shelf = merge(shelf, [task({ id: "a", version: 1 })]);
  changes("a", 2);
  await passes(50);
  expect(shelf.get("a")).toEqual(task({ id: "a", version: 2 }));
  expect(arrived).toEqual(["a"]);
});

test("several frames about one task lead to one request", async () => {
  changes("a", 2);
  changes("a", 3);
  changes("a", 4);
  await passes(100);
  expect(asked).toEqual(["a"]);
});

test("what is known in that version already is not fetched", async () => {
  shelf = merge(shelf, [task({ id: "a", version: 3 })]);
  changes("a", 3);
  await passes(100);
  expect(asked).toEqual([]);
});

test("while a change of ours is under way its echo waits, and is nothing when the answer has come", async () => {
  ours.add("a");
  changes("a", 2);
  await passes(500);
  expect(asked).toEqual([]);
  shelf = merge(shelf, [task({ id: "a", version: 2 })]);
  ours.delete("a");
  fetcher.settled();
  await passes(3000);
  expect(asked).toEqual([]);
  expect(arrived).toEqual([]);
});

test("a change that stays under way for long does not hold back news", async () => {
  ours.add("a");
  changes("a", 2);
  await passes(2100);
  expect(asked).toEqual(["a"]);
});

test("news of other tasks do not wait", async () => {
  ours.add("a");
  changes("a", 2);
  changes("b", 2);
  await passes(100);
  expect(asked).toEqual(["b"]);
});

test("no more than four are fetched at once", async () => {
  for (let i = 0; i < 20; i++) changes(`t${i}`, 1);
  await passes(200);
  expect(asked).toHaveLength(20);
  expect(mostAtOnce).toBe(4);
});

test("of more than twenty the list is loaded anew, and in a storm not all the time", async () => {
  for (let i = 0; i < 21; i++) changes(`a${i}`, 1);
  await passes(100);
  expect([reloads, asked.length]).toEqual([1, 0]);
  for (let i = 0; i < 21; i++) changes(`b${i}`, 1);
  await passes(1000);
  expect(reloads).toBe(1);
  await passes(3000);
  expect([reloads, asked.length]).toEqual([2, 0]);
});

test("what could not be fetched is fetched later", async () => {
  failures = 1;
  changes("a", 2);
  await passes(100);
  expect(arrived).toEqual([]);
  await passes(1000);
  expect(arrived).toEqual(["a"]);
});

test("a task that is not found is gone", async () => {
  shelf = merge(shelf, [task({ id: "a", version: 1 })]);
  fetcher.want("a", 2);
  await passes(100);
  expect(shelf.get("a")).toEqual({ gone: true, id: "a" });
});

test("a task is asked for in any case where its version cannot tell, and arrives only if it changed", async () => {
  shelf = merge(shelf, [task({ id: "a", version: 1 })]);
  server.set("a", task({ id: "a", version: 1 }));
  fetcher.want("a", Infinity);
  await passes(3000);
  expect(asked).toEqual(["a"]);
  expect(arrived).toEqual([]);
});
