import { mkdir } from "node:fs/promises";
import path from "node:path";

import { AxeBuilder } from "@axe-core/playwright";
import type { Page, TestInfo } from "@playwright/test";

import { open } from "../known";
import { type Person, type Task, expect, row, test } from "../suite";

// Each state at each width and in each theme: looked at by axe, and kept as a picture. `make screenshots` puts the pictures
// into docs/screens.
const widths = [390, 768, 1440];
const schemes = ["light", "dark"] as const;

for (const width of widths) {
  for (const scheme of schemes) {
    test(`ten states at ${width} px, ${scheme}`, async ({ person }, info) => {
      test.setTimeout(240_000);
      const height = width === 390 ? 844 : 900;
      const pat = await person({
        viewport: { width, height },
        colorScheme: scheme,
        hasTouch: width === 390,
        reducedMotion: "reduce",
      });
      const look = (name: string, page: Page = pat.page) => shown(page, `${name}-${width}-${scheme}`, info);
      await walk(pat, look);
    });
  }
}

async function walk(pat: Person, look: (name: string, page?: Page) => Promise<void>) {
  const { page } = pat;

  await page.goto("/today");
  await expect(page.getByText("Nothing left for today")).toBeVisible();
  await look("empty");

  const tasks = await furnish(pat);
  await page.goto("/today");
  await expect(row(page, "Call the bank")).toBeVisible();
  await look("today");

  await openQuickAdd(page);
  await page
    .getByRole("textbox", { name: "Add a task" })
    .last()
    .fill("Water the plants every monday at 9:00 !high #home");
  await expect(page.getByRole("list", { name: "Understood" }).last()).toBeVisible();
  await look("quick-add");

  await page.goto(`/all?task=${tasks["Plan the trip to Bergen"]?.id}`);
  await expect(page.getByRole("dialog").getByLabel("How often")).toBeVisible();
  await look("task");

  await open(page, "/upcoming");
  await expect(row(page, "Dentist")).toBeVisible();
  await page.getByRole("button", { name: "More for Dentist" }).click();
  await page.getByRole("menuitem", { name: "Select" }).click();
  await expect(page.getByRole("toolbar", { name: "Selected tasks" })).toBeVisible();
  await look("selected");

  await page.goto("/calendar");
  await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
  await expect(page.getByText("Dentist").filter({ visible: true }).first()).toBeVisible();
  await look("calendar");

  await open(page, "/chat");
  await page.getByRole("textbox", { name: "Message" }).fill("delete call the bank");
  await page.getByRole("button", { name: "Send" }).click();
  await expect(page.getByRole("group", { name: "Approval needed" })).toBeVisible({ timeout: 45_000 });
  await look("chat");

  await page.goto("/activity");
  await expect(page.getByText(/Plan the trip to Bergen/).first()).toBeVisible();
  await look("activity");

  await page.goto("/settings");
  await expect(page.getByRole("heading", { name: "API tokens" })).toBeVisible();
  await look("settings");

  await page.context().clearCookies({ name: /session|taskflow_token/ });
  await page.goto("/sign-in");
  await expect(page.getByRole("button", { name: "Sign in" })).toBeVisible();
  await look("sign-in");
}

/** A life's worth of tasks, some done on the days before. */
async function furnish(pat: Person): Promise<Record<string, Task>> {
  const day = (n: number) => new Date(Date.now() + n * 86_400_000).toISOString().slice(0, 10);
  const wanted = [
    { title: "Send the invoice to Kari", due_date: day(-2), priority: "high", tags: ["work"] },
    { title: "Call the bank", due_date: day(0), priority: "urgent", tags: ["money"], reminders: [60] },
    { title: "Buy oat milk and coffee", due_date: day(0), tags: ["home", "shopping"] },
    {
      title: "Review Ola's pull request",
      due_date: day(0),
      priority: "medium",
      tags: ["work"],
      description: "The part about retries.",
    },
    { title: "Stretch", due_date: day(0), recurrence: "daily" },
    { title: "Dentist", due_date: `${day(1)}T13:30:00Z`, reminders: [30, 1440] },
    { title: "Water the plants", due_date: day(3), recurrence: "weekly", tags: ["home"] },
    {
      title: "Plan the trip to Bergen",
      due_date: day(6),
      priority: "low",
      tags: ["travel"],
      description: "Train on Friday evening, hotel near the harbour.\nAsk Ann whether she comes along.",
    },
    { title: "Pay the rent", due_date: day(9), recurrence: "monthly", priority: "high", tags: ["money"] },
    { title: "Read the book about event sourcing" },
    { title: "Book club", due_date: day(0), tags: ["friends"] },
  ];
  const answer = await pat.api("POST", "/tasks/batch", {
    operations: wanted.map((task) => ({ op: "create", task })),
  });
  const made = ((await answer.json()) as { results: { task: Task }[] }).results.map((r) => r.task);
  const tasks = Object.fromEntries(made.map((t) => [t.title, t]));
  for (const title of ["Book club", "Stretch"]) {
    await pat.api("PATCH", `/tasks/${tasks[title]?.id}/complete`, { completed: true });
  }
  return tasks;
}

async function openQuickAdd(page: Page) {
  if (await page.getByRole("textbox", { name: "Add a task" }).first().isVisible()) return;
  await page.getByRole("button", { name: /add a task/i }).click();
}

async function shown(page: Page, name: string, info: TestInfo) {
  const connection = page.getByRole("status", { name: "Connection" });
  if (await connection.count()) await expect(connection).toHaveText(/Live/);
  await page.evaluate(() => document.fonts.ready);
  const kept = process.env["SCREENSHOTS"];
  const file = kept ? path.join(kept, `${name}.png`) : info.outputPath(`${name}.png`);
  await mkdir(path.dirname(file), { recursive: true });
  await page.screenshot({ path: file, animations: "disabled", caret: "hide" });
  const { violations } = await new AxeBuilder({ page })
    .withTags(["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"])
    .analyze();
  const grave = violations.filter((v) => v.impact === "serious" || v.impact === "critical");
  expect(
    grave.map((v) => `${v.id}: ${v.nodes.map((n) => n.target.join(" ")).join(", ")}`),
    `what axe finds at ${name}`,
  ).toEqual([]);
  // Nothing sticks out to the side.
  const wide = await page.evaluate(
    () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
  );
  expect(wide, `pixels that stick out to the side at ${name}`).toBeLessThanOrEqual(0);
}
