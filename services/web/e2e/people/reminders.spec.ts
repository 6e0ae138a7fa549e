import type { Page, WebSocketRoute } from "@playwright/test";

import { day, make, open } from "../known";
import { expect, test } from "../suite";

type Told = { title: string; body?: string; tag?: string };

/** Writes down what the browser would show: what it looks like is the system's. */
async function record(page: Page, permission: NotificationPermission) {
  await page.addInitScript((permission) => {
    const told: Told[] = [];
    class Recorded extends EventTarget {
      static readonly permission = permission;
      static requestPermission = () => Promise.resolve(permission);
      onclick: (() => void) | null = null;
      constructor(title: string, options: NotificationOptions = {}) {
        super();
        told.push({ title, ...options });
        Object.assign(window, { last: this });
      }
      close() {
        this.onclick = null;
      }
    }
    Object.assign(window, { told, Notification: Recorded });
  }, permission);
}

const told = (page: Page) => page.evaluate(() => (window as unknown as { told: Told[] }).told);
const toasts = (page: Page, title: string) =>
  page
    .getByRole("region", { name: /^Notification/ })
    .getByRole("listitem")
    .filter({ hasText: title });
const soon = () => new Date(Date.now() + 4_000).toISOString();

test("a reminder rings as a toast and as a notification of the browser, once, and leads to its task", async ({
  person,
}) => {
  const pat = await person({ permissions: ["notifications"] });
  await record(pat.page, "granted");
  await open(pat.page, "/today");
  const task = await make(pat, { title: "Take the bread out", due_date: day(0), remind_at: [soon()] });
  await expect(toasts(pat.page, "Take the bread out")).toHaveCount(1, { timeout: 25_000 });
  await expect(toasts(pat.page, "Take the bread out")).toContainText("Due today.");
  await expect
    .poll(() => told(pat.page))
    .toMatchObject([{ title: "Take the bread out", body: "Due today." }]);
  // A click on the browser's own leads there as well.
  await pat.page.evaluate(() => (window as unknown as { last: { onclick: () => void } }).last.onclick());
  await expect(pat.page).toHaveURL(new RegExp(`task=${task.id}`));
  await expect(pat.page.getByRole("dialog", { name: "Take the bread out" })).toBeVisible();
  await pat.page.keyboard.press("Escape");
  await expect(pat.page.getByRole("dialog")).toHaveCount(0);
  await toasts(pat.page, "Take the bread out").getByRole("button", { name: "Open" }).click();
  await expect(pat.page.getByRole("dialog", { name: "Take the bread out" })).toBeVisible();
  expect(await told(pat.page)).toHaveLength(1);
});

test("without permission a reminder stays in the page, and one that is done does not ring", async ({
  person,
}) => {
  const pat = await person();
  await record(pat.page, "denied");
  await open(pat.page, "/all");
  const at = soon();
  const done = await make(pat, { title: "done in time", remind_at: [at] });
  await pat.api("PATCH", `/tasks/${done.id}/complete`, { completed: true });
  await make(pat, { title: "not done", remind_at: [at] });
  await expect(toasts(pat.page, "not done")).toHaveCount(1, { timeout: 25_000 });
  await expect(toasts(pat.page, "not done")).toContainText("You wanted to be reminded.");
  await expect(toasts(pat.page, "done in time")).toHaveCount(0);
  expect(await told(pat.page)).toEqual([]);
});

test("a reminder that rang while the computer slept says how late it is when it wakes", async ({
  person,
}) => {
  const pat = await person();
  const { page, context } = pat;
  let asleep = false;
  const sockets: WebSocketRoute[] = [];
  await page.routeWebSocket(/\/ws\//, async (socket) => {
    if (asleep) return socket.close({ code: 1001 });
    sockets.push(socket);
    socket.connectToServer();
  });
  await open(page, "/all");
  asleep = true;
  await context.setOffline(true);
  await sockets[0]?.close({ code: 1001 });
  await expect(page.getByLabel("Connection", { exact: true })).toHaveText("Offline");
  const task = await make(pat, { title: "Water the garden", remind_at: [soon()] });
  const events = `/events?order=newest&task_id=${task.id}`;
  await expect
    .poll(async () => (await pat.api("GET", events)).text(), { timeout: 25_000 })
    .toContain("reminder.fired");
  await page.clock.setSystemTime(Date.now() + 5 * 60_000);
  asleep = false;
  await context.setOffline(false);
  await expect(toasts(page, "Water the garden")).toContainText("This reminder is 5 minutes late.", {
    timeout: 20_000,
  });
  await expect(toasts(page, "Water the garden")).toHaveCount(1);
});
