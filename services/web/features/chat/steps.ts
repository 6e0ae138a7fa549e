import { isToolUIPart } from "ai";

import type { ChatMessage, Receipt } from "./message";

/** A task as far as the chat knows it. The title is missing where only the id was told. */
export type TaskRef = { id: string; title: string | undefined };

export type Outcome = "running" | "done" | "failed" | "unknown" | "waiting";

/** One thing that an answer rests on: a tool that runs, or its receipt. */
export type Step = { key: string; outcome: Outcome; words: string; tasks: TaskRef[] };

// What a tool is doing, and what it did. Tools may come that are not in here.
const words: Record<string, { running: string; done: string }> = {
  add_tasks: { running: "Adding tasks…", done: "Added tasks" },
  find_tasks: { running: "Looking for tasks…", done: "Looked for tasks" },
  get_tasks: { running: "Reading tasks…", done: "Read tasks" },
  update_tasks: { running: "Changing tasks…", done: "Changed tasks" },
  complete_tasks: { running: "Completing tasks…", done: "Completed tasks" },
  reopen_tasks: { running: "Reopening tasks…", done: "Reopened tasks" },
  reschedule_tasks: { running: "Moving tasks…", done: "Moved tasks" },
  delete_tasks: { running: "Deleting tasks…", done: "Deleted tasks" },
  restore_tasks: { running: "Restoring tasks…", done: "Restored tasks" },
  preview_recurrence: { running: "Working out dates…", done: "Worked out dates" },
  get_overview: { running: "Looking at your day…", done: "Looked at your day" },
  get_profile: { running: "Reading your profile…", done: "Read your profile" },
  search_conversations: { running: "Searching conversations…", done: "Searched conversations" },
};

function named(tool: string): { running: string; done: string } {
  const plain = tool.replaceAll("_", " ");
  return words[tool] ?? { running: `Using ${plain}…`, done: `Used ${plain}` };
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** What is known of titles, by task: `known`, and what the tools of these messages told. */
export function titlesOf(
  messages: readonly ChatMessage[],
  known: ReadonlyMap<string, string> = new Map(),
): ReadonlyMap<string, string> {
  const titles = new Map(known);
  for (const message of messages) {
    for (const part of message.parts) {
      if (!isToolUIPart(part) || part.state !== "output-available") continue;
      for (const task of tasksIn(part.output)) if (task.title) titles.set(task.id, task.title);
    }
  }
  return titles;
}

/** The tasks that a tool answered with. */
function tasksIn(output: unknown): TaskRef[] {
  const tasks = recordOf(output)["tasks"];
  if (!Array.isArray(tasks)) return [];
  return tasks.map(recordOf).flatMap(({ id, title }) => {
    return typeof id === "string" ? [{ id, title: typeof title === "string" ? title : undefined }] : [];
  });
}

function recordOf(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}

/** All texts in what a tool was called with; ids are among them. */
function textsIn(value: unknown): string[] {
  if (typeof value === "string") return [value];
  if (typeof value !== "object" || value === null) return [];
  return Object.values(value).flatMap(textsIn);
}

/**
 * What an answer rests on. As long as it is made these are the tools as they run; then the receipts, which the server
 * wrote and the history keeps. Tasks that no receipt names are shown with the one that most likely found them.
 */
export function stepsOf(message: ChatMessage, titles: ReadonlyMap<string, string>): Step[] {
  const calls = message.parts.filter(isToolUIPart).map((part) => ({
    key: part.toolCallId,
    tool: part.type === "dynamic-tool" ? part.toolName : part.type.slice("tool-".length),
    part,
  }));
  const receipts = message.metadata?.tool_calls;
  if (!receipts) {
    return calls.map(({ key, tool, part }) => {
      switch (part.state) {
        case "output-available":
          return { key, outcome: "done", words: named(tool).done, tasks: [] };
        case "output-error":
        case "output-denied":
          return { key, outcome: "failed", words: named(tool).done.concat(": failed"), tasks: [] };
        case "approval-requested":
          return { key, outcome: "waiting", words: "Waits for your approval", tasks: [] };
        default:
          return { key, outcome: "running", words: named(tool).running, tasks: [] };
      }
    });
  }

  const left = new Set(message.metadata?.task_ids ?? []);
  const names = new Map(titles);
  const answers = calls.slice();
  const told = receipts.map((receipt) => {
    const at = answers.findIndex((c) => c.tool === receipt.tool);
    const [call] = at < 0 ? [] : answers.splice(at, 1);
    const output = call?.part.state === "output-available" ? tasksIn(call.part.output).map((t) => t.id) : [];
    return [...output, ...textsIn(receipt.arguments)].filter((id) => left.has(id));
  });
  const changed = changedIn(receipts, told, [...left], names);
  const take = (ids: readonly string[]): TaskRef[] =>
    ids.filter((id) => left.delete(id)).map((id) => ({ id, title: names.get(id) }));
  const steps = receipts.map((receipt, i): Step => ({
    key: String(i),
    outcome: receipt.outcome,
    words: capital(receipt.summary || (receipt.outcome === "done" ? named(receipt.tool).done : receipt.tool)),
    tasks: take([...(told[i] ?? []), ...(changed[i] ?? [])]),
  }));
  const done = (tool: RegExp) => receipts.findIndex((r) => r.outcome === "done" && tool.test(r.tool));
  const rest = steps[done(/^(find|get)_/)] ?? steps[done(/./)] ?? steps[0];
  rest?.tasks.push(...take([...left]));
  return steps;
}

/**
 * The tasks that receipts changed, from their words: the history keeps no tool's answer, but an answer's tasks begin with
 * those that were changed, in the order of the receipts, and a summary names up to three. Titles go into `names`. Where the
 * words cannot be told apart (a title with a comma) it stops, because the order is lost from there on.
 */
function changedIn(
  receipts: readonly Receipt[],
  told: readonly (readonly string[])[],
  taskIds: readonly string[],
  names: Map<string, string>,
): string[][] {
  const queue = taskIds.slice();
  const ids = new Map<string, string>();
  const changed: string[][] = [];
  for (const [i, receipt] of receipts.entries()) {
    changed[i] = [];
    if (receipt.outcome !== "done" || /^(find|get|search|preview)_/.test(receipt.tool)) continue;
    const [, count, list = ""] = /^(\d+) tasks? \w+: (.*)$/.exec(receipt.summary ?? "") ?? [];
    const titles = count === "1" ? [list] : list.split(", ");
    if (!count || titles.length !== Number(count) || / not done \(/.test(list)) break;
    const exact = told[i]?.length === titles.length ? told[i] : [];
    changed[i] = titles.flatMap((title, n) => {
      const id = exact[n] ?? ids.get(title) ?? queue[0];
      if (!id) return [];
      if (queue.includes(id)) queue.splice(queue.indexOf(id), 1);
      ids.set(title, id);
      if (!names.has(id)) names.set(id, title);
      return [id];
    });
  }
  return changed;
}
