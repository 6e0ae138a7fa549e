import { describe, expect, it } from "vitest";

import { fromHistory } from "./message";
import { read } from "./recorded.testing";
import { stepsOf, titlesOf } from "./steps";

const none = new Map<string, string>();

describe("tools of a recorded stream", () => {
  it("are shown as they run, then as they ended", async () => {
    const { states } = await read("tools");
    const shown = states.map((s) =>
      stepsOf(s, none)
        .map((step) => step.outcome)
        .join(" "),
    );
    expect(shown).toContain("running running running");
    expect(shown).toContain("done running running");
    expect(shown).toContain("done failed done");
    expect(states.flatMap((s) => stepsOf(s, none).map((step) => step.words))).toEqual(
      expect.arrayContaining(["Looking for tasks…", "Using burn tasks…", "Used burn tasks: failed"]),
    );
  });

  it("become the receipts, with the tasks they told of by title", async () => {
    const { last } = await read("tools");
    expect(stepsOf(last, titlesOf([last]))).toEqual([
      { key: "0", outcome: "done", words: "1 task found", tasks: [{ id: "a", title: "Buy milk" }] },
    ]);
  });

  it("that wait for the user say so until the answer has its end", async () => {
    const { states } = await read("approval");
    expect(states.flatMap((s) => stepsOf(s, none))).toContainEqual({
      key: "c1",
      outcome: "waiting",
      words: "Waits for your approval",
      tasks: [],
    });
  });
});

describe("receipts of the history", () => {
  const answer = (receipts: Parameters<typeof fromHistory>[0]["receipts"], task_ids: string[]) =>
    fromHistory({ id: "m", role: "assistant", text: "", receipts, task_ids, created_at: "" }, "c");

  it("have the tasks they were called with, and the finder has the rest", () => {
    const message = answer(
      [
        {
          tool: "complete_tasks",
          arguments: { ids: ["a"] } as never,
          outcome: "done",
          summary: "1 task completed",
        },
        { tool: "find_tasks", outcome: "done", summary: "2 tasks found" },
      ],
      ["a", "b"],
    );
    const titles = new Map([["a", "Buy milk"]]);
    expect(stepsOf(message, titles).map((s) => s.tasks)).toEqual([
      [{ id: "a", title: "Buy milk" }],
      [{ id: "b", title: undefined }],
    ]);
  });

  it("give the tasks they changed their titles, each its own", () => {
    const message = answer(
      [
        { tool: "add_tasks", outcome: "done", summary: "2 tasks added: Buy milk, Eggs" },
        { tool: "update_tasks", outcome: "done", summary: "1 task updated: Buy milk" },
        { tool: "delete_tasks", outcome: "done", summary: "1 task deleted: Bread, and butter" },
        { tool: "find_tasks", outcome: "done", summary: "1 task found" },
      ],
      ["a", "b", "c", "d"],
    );
    expect(stepsOf(message, none).map((s) => s.tasks)).toEqual([
      [
        { id: "a", title: "Buy milk" },
        { id: "b", title: "Eggs" },
      ],
      [],
      [{ id: "c", title: "Bread, and butter" }],
      [{ id: "d", title: undefined }],
    ]);
  });

  it("whose words cannot be told apart give no task a wrong title", () => {
    const message = answer(
      [
        { tool: "add_tasks", outcome: "done", summary: "2 tasks added: Bread, and butter, Eggs" },
        { tool: "add_tasks", outcome: "done", summary: "1 task added: Salt" },
      ],
      ["a", "b", "c"],
    );
    const titles = stepsOf(message, none).flatMap((s) => s.tasks.map((t) => t.title));
    expect(titles).toEqual([undefined, undefined, undefined]);
  });

  it.each(["failed", "unknown", "waiting"] as const)("keep the outcome %s", (outcome) => {
    const [step] = stepsOf(answer([{ tool: "add_tasks", outcome, summary: "so it is" }], []), none);
    expect(step).toMatchObject({ outcome, words: "So it is" });
  });

  it("link no task that the answer is not about", () => {
    const message = answer(
      [{ tool: "find_tasks", arguments: { query: "b" } as never, outcome: "done", summary: "none found" }],
      [],
    );
    expect(stepsOf(message, none)[0]?.tasks).toEqual([]);
  });
});
