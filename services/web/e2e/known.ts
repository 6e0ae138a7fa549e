import { type Page, expect } from "@playwright/test";

import type { Person, Task } from "./suite";

/** All that the server says of a task that the tests ask about. */
export type Known = Task & {
  description: string;
  skipped: boolean;
  priority: string;
  tags: string[];
  reminders: number[];
  remind_at: string[];
  recurrence: { rule: string; anchor: string; time_zone: string | null } | null;
  series_id: string | null;
  deleted_at: string | null;
};

/** The same instant can be written in several ways; here it is one. */
function plain(task: Known): Known {
  return { ...task, due_date: task.due_date?.replace(/\.0+Z$/, "Z") ?? null };
}

/** Makes a task by the API. */
export async function make(of: Person, task: Record<string, unknown> & { title: string }): Promise<Known> {
  return plain((await (await of.api("POST", "/tasks", task)).json()) as Known);
}

/** Makes many tasks at once by the API. */
export async function makeAll(of: Person, tasks: Record<string, unknown>[]): Promise<Known[]> {
  const made: Known[] = [];
  for (let i = 0; i < tasks.length; i += 100) {
    const operations = tasks.slice(i, i + 100).map((task) => ({ op: "create", task }));
    const answer = await of.api("POST", "/tasks/batch", { operations });
    made.push(...((await answer.json()) as { results: { task: Known }[] }).results.map((r) => r.task));
  }
  return made;
}

/** A task as the server has it now. */
export async function known(of: Person, id: string): Promise<Known> {
  return plain((await (await of.api("GET", `/tasks/${id}`)).json()) as Known);
}

/** The first page of a person's tasks as the server has them now: those that are not deleted, unless the query says otherwise. */
export async function all(of: Person, query = ""): Promise<Known[]> {
  return ((await (await of.api("GET", `/tasks${query}`)).json()) as { items: Known[] }).items.map(plain);
}

/** What a task is to look like: the fields named, and of its recurrence too. */
type Wanted = Partial<Omit<Known, "recurrence">> & { recurrence?: Partial<Known["recurrence"]> };

/** Waits until the server has the task so. */
export async function becomes(of: Person, id: string, so: Wanted): Promise<void> {
  await expect.poll(() => known(of, id)).toMatchObject(so);
}

/** The day so many days from today where the person is. */
export function day(n: number, zone = "Europe/Oslo"): string {
  const here = new Intl.DateTimeFormat("en-CA", { timeZone: zone }).format(new Date());
  return new Date(Date.parse(`${here}T12:00:00Z`) + n * 86_400_000).toISOString().slice(0, 10);
}

/** Opens a page of the signed-in person, and waits until it hears of changes elsewhere. */
export async function open(page: Page, path: string): Promise<void> {
  await page.goto(path);
  // By its label: behind an open sheet it has no role.
  await expect(page.getByLabel("Connection", { exact: true })).toHaveText("Live", { timeout: 20_000 });
}

/**
 * Takes back what a toast tells of, once `done` holds. A toast comes when the server has answered, and stays while the mouse
 * is on it.
 */
export async function undo(page: Page, told: string | RegExp, done: () => Promise<void>): Promise<void> {
  const toasts = page.getByRole("region", { name: /^Notification/ }).getByRole("listitem");
  const toast = toasts.filter({ hasText: told }).last();
  await toast.hover();
  await done();
  await toast.getByRole("button", { name: "Undo" }).click();
}

/** Drags with the mouse, as the browser does it: what is dropped on may appear only while something is dragged. */
export async function drag(page: Page, from: ReturnType<Page["locator"]>, to: ReturnType<Page["locator"]>) {
  await from.hover();
  await page.mouse.down();
  const start = await from.boundingBox();
  if (!start) throw new Error("what is to be dragged is not in sight");
  await page.mouse.move(start.x + start.width / 2 + 12, start.y + start.height / 2 + 12, { steps: 4 });
  await expect(to).toBeVisible();
  const end = await to.boundingBox();
  if (!end) throw new Error("where it is to be dropped is not in sight");
  await page.mouse.move(end.x + end.width / 2, end.y + end.height / 2, { steps: 6 });
  await page.mouse.move(end.x + end.width / 2 + 2, end.y + end.height / 2 + 2);
  await page.mouse.up();
}
