import { expect, test } from "vitest";

import { Queue } from "./queue";

function gate(): { open: () => void; opened: Promise<void> } {
  let open: () => void = () => undefined;
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { open, opened };
}

test("jobs of one task are done one behind the other, in their order", async () => {
  const queue = new Queue();
  const first = gate();
  const done: string[] = [];
  const a = queue.run(["t1"], async () => {
    await first.opened;
    done.push("a");
  });
  const b = queue.run(["t1"], async () => void done.push("b"));
  const other = queue.run(["t2"], async () => void done.push("other"));
  await other;
  expect(done).toEqual(["other"]);
  first.open();
  await Promise.all([a, b]);
  expect(done).toEqual(["other", "a", "b"]);
});

test("a job that failed does not hold back or fail the next", async () => {
  const queue = new Queue();
  const failing = queue.run(["t1"], () => Promise.reject(new Error("no")));
  const next = queue.run(["t1"], async () => "done");
  await expect(failing).rejects.toThrow("no");
  await expect(next).resolves.toBe("done");
});

test("a job of several tasks waits for all of them, and those behind wait for it", async () => {
  const queue = new Queue();
  const held = gate();
  const done: string[] = [];
  const first = queue.run(["a"], async () => {
    await held.opened;
    done.push("first");
  });
  const both = queue.run(["a", "b"], async () => void done.push("both"));
  const behind = queue.run(["b"], async () => void done.push("behind"));
  held.open();
  await Promise.all([first, both, behind]);
  expect(done).toEqual(["first", "both", "behind"]);
});

test("a task is busy until its last job has ended", async () => {
  const queue = new Queue();
  const held = gate();
  const job = queue.run(["t1"], () => held.opened);
  expect(queue.busy("t1")).toBe(true);
  expect(queue.busy("t2")).toBe(false);
  held.open();
  await job;
  await Promise.resolve();
  expect(queue.busy("t1")).toBe(false);
});
