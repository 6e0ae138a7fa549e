import type { Page } from "@playwright/test";

import { all, becomes, day, known, make, open } from "../known";
import { type Person, expect, row, test } from "../suite";

const weekdays = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

/** Leaves exactly these days chosen. */
async function choose(page: Page, wanted: string[]) {
  const days = page.getByRole("group", { name: "On these days" });
  // The wanted ones first: the last one chosen cannot be taken away.
  for (const name of [...wanted, ...weekdays.filter((d) => !wanted.includes(d))]) {
    const button = days.getByRole("button", { name });
    const on = wanted.includes(name) ? "true" : "false";
    if ((await button.getAttribute("aria-pressed")) !== on) await button.click();
    await expect(button).toHaveAttribute("aria-pressed", on);
  }
}

/** A whole day as the page says it. */
function said(date: string): string {
  if (date === day(0)) return "Today";
  if (date === day(1)) return "Tomorrow";
  const at = new Date(date);
  const word = (options: Intl.DateTimeFormatOptions) =>
    new Intl.DateTimeFormat("en", { timeZone: "UTC", ...options }).format(at);
  const short = `${at.getUTCDate()} ${word({ month: "short" })}`;
  return date.slice(0, 4) === day(0).slice(0, 4)
    ? `${word({ weekday: "short" })} ${short}`
    : `${short} ${date.slice(0, 4)}`;
}

const openTasks = async (of: Person) => all(of, "?status=open");

test("every two weeks on Monday and Thursday: the next five dates are the server's, and so is the rule", async ({
  person,
}) => {
  const pat = await person();
  const task = await make(pat, { title: "Rehearsal", due_date: day(2) });
  await open(pat.page, `/all?task=${task.id}`);
  const sheet = pat.page.getByRole("dialog", { name: "Rehearsal" });
  await sheet.getByLabel("How often").selectOption("Weekly");
  await sheet.getByLabel("Every", { exact: true }).fill("2");
  await choose(pat.page, ["Monday", "Thursday"]);
  const rule = "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,TH";
  const preview = await pat.api(
    "GET",
    `/recurrence/preview?${new URLSearchParams({ rule, anchor: "schedule", count: "5", start: day(2) }).toString()}`,
  );
  const { occurrences } = (await preview.json()) as { occurrences: string[] };
  expect(occurrences).toHaveLength(5);
  await expect(sheet.getByRole("list", { name: "Next dates" }).getByRole("listitem")).toHaveText(
    occurrences.map(said),
  );
  // Nothing counts before it is applied.
  await expect.poll(async () => (await known(pat, task.id)).recurrence).toBeNull();
  await sheet.getByRole("button", { name: "Apply" }).click();
  await expect.poll(async () => (await known(pat, task.id)).recurrence?.rule).toBe(rule);
  await pat.page.reload();
  await expect(sheet.getByLabel("How often")).toHaveValue("week");
  await expect(sheet.getByLabel("Every", { exact: true })).toHaveValue("2");
  for (const name of weekdays)
    await expect(sheet.getByRole("button", { name, exact: true })).toHaveAttribute(
      "aria-pressed",
      String(["Monday", "Thursday"].includes(name)),
    );
});

test("a change of this one ends with it; a change of this and following stays", async ({ person }) => {
  const pat = await person();
  const first = await make(pat, { title: "Gym", due_date: day(1), recurrence: "weekly" });
  const { page } = pat;
  await open(page, `/all?task=${first.id}`);
  const sheet = page.getByRole("dialog");
  const next = async (than: string) => {
    await sheet.getByRole("checkbox", { name: /^Complete / }).click();
    await becomes(pat, than, { completed: true });
    await expect.poll(async () => (await openTasks(pat)).length).toBe(1);
    const [after] = await openTasks(pat);
    if (!after) throw new Error("there is one");
    await open(page, `/all?task=${after.id}`);
    return after;
  };

  await expect(sheet.getByRole("radio", { name: "This one" })).toBeChecked();
  await sheet.getByLabel("Title").fill("Gym with Ann");
  await sheet.getByLabel("Title").press("Enter");
  await becomes(pat, first.id, { title: "Gym with Ann" });
  const second = await next(first.id);
  expect([second.title, second.due_date]).toEqual(["Gym", day(8)]);

  await sheet.getByRole("radio", { name: "This and following" }).check();
  await sheet.getByLabel("Title").fill("Swimming");
  await sheet.getByLabel("Title").press("Enter");
  await sheet.getByLabel("Priority").selectOption("High");
  await becomes(pat, second.id, { title: "Swimming", priority: "high" });
  const third = await next(second.id);
  expect([third.title, third.priority, third.due_date]).toEqual(["Swimming", "high", day(15)]);
});

test("a task that stops repeating is the last of its kind", async ({ person }) => {
  const pat = await person();
  const task = await make(pat, { title: "Antibiotics", due_date: day(1), recurrence: "daily" });
  await open(pat.page, `/all?task=${task.id}`);
  const sheet = pat.page.getByRole("dialog", { name: "Antibiotics" });
  await sheet.getByLabel("How often").selectOption("Does not repeat");
  await sheet.getByRole("button", { name: "Stop repeating" }).click();
  await becomes(pat, task.id, { recurrence: null, due_date: day(1) });
  await expect(sheet.getByRole("button", { name: "Skip this occurrence" })).toHaveCount(0);
  await pat.page.keyboard.press("Escape");
  await pat.page.getByRole("checkbox", { name: "Complete Antibiotics" }).click();
  await expect(row(pat.page, "Antibiotics")).toHaveCount(0);
  await becomes(pat, task.id, { completed: true });
  await expect.poll(() => openTasks(pat)).toEqual([]);
});

test("in New York nine o'clock is nine o'clock: seen, typed, and after the clocks change", async ({
  person,
}) => {
  const zone = "America/New_York";
  const pat = await person({ timezoneId: zone });
  await pat.api("PUT", "/profile", { time_zone: zone });
  const { page } = pat;
  // The night after it, the clocks go back.
  const walk = await make(pat, { title: "Walk", due_date: "2030-11-02T13:00:00Z", recurrence: "daily" });
  await open(page, "/all");
  await expect(row(page, "Walk")).toContainText("2 Nov 2030 09:00");
  await page.getByRole("button", { name: "Walk", exact: true }).click();
  const sheet = page.getByRole("dialog", { name: "Walk" });
  await expect(sheet.getByLabel("Due time")).toHaveValue("09:00");
  const dates = sheet.getByRole("list", { name: "Next dates" }).getByRole("listitem");
  await expect(dates).toHaveCount(5);
  for (const text of await dates.allTextContents()) expect(text).toContain("09:00");
  await page.keyboard.press("Escape");
  await page.getByRole("checkbox", { name: "Complete Walk" }).click();
  await becomes(pat, walk.id, { completed: true });
  await expect(row(page, "Walk")).toContainText("3 Nov 2030 09:00");
  await expect
    .poll(async () => (await openTasks(pat)).map((t) => t.due_date))
    .toEqual(["2030-11-03T14:00:00Z"]);

  const box = page.getByRole("textbox", { name: "Add a task" });
  await box.fill("Standup 15 july 2031 at 9:00");
  await box.press("Enter");
  await expect(row(page, "Standup")).toContainText("15 Jul 2031 09:00");
  const standup = (await openTasks(pat)).find((t) => t.title === "Standup");
  expect(standup?.due_date).toBe("2031-07-15T13:00:00Z");
});
