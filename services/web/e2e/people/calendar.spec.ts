import { all, becomes, day, drag, known, make, makeAll, open } from "../known";
import { expect, test } from "../suite";

test("tasks stand on their days, and the month stands in the address", async ({ person }) => {
  const pat = await person();
  const { page } = pat;
  await makeAll(pat, [
    { title: "whole day", due_date: "2031-05-12" },
    // In Oslo it is the 13th already.
    { title: "late at night", due_date: "2031-05-12T22:30:00Z" },
    { title: "a month later", due_date: "2031-06-12" },
    { title: "done", due_date: "2031-05-12" },
  ]);
  const done = (await all(pat)).find((t) => t.title === "done");
  await pat.api("PATCH", `/tasks/${done?.id}/complete`, { completed: true });
  await open(page, "/calendar?month=2031-05");
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("May 2031");
  const cell = (d: string) => page.locator(`[data-day="${d}"]`);
  await expect(cell("2031-05-12").getByRole("button")).toHaveText(["whole day"]);
  await expect(cell("2031-05-13").getByRole("button")).toHaveText(["00:30late at night"]);
  await expect(cell("2031-05-12")).toHaveAccessibleName("Monday 12 May 2031, 1 task");
  await page.getByRole("button", { name: "Next month" }).click();
  await expect(page).toHaveURL(/\?month=2031-06$/);
  await expect(cell("2031-06-12")).toContainText("a month later");
  await page.reload();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("June 2031");
  await page.goBack();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("May 2031");
  await expect(cell("2031-05-12")).toContainText("whole day");
  await page.getByRole("button", { name: "Today", exact: true }).click();
  await expect(page).toHaveURL(/\/calendar$/);
  await expect(cell(day(0))).toHaveAttribute("aria-current", "date");
  await page.goto("/calendar?month=not-a-month");
  await expect(cell(day(0))).toHaveAttribute("aria-current", "date");
});

test("the arrow keys walk through the days, over the end of the month too, and Enter adds on a day", async ({
  person,
}) => {
  const pat = await person();
  const { page } = pat;
  const keys = page.keyboard;
  await open(page, "/calendar?month=2031-05");
  const cell = (d: string) => page.locator(`[data-day="${d}"]`);
  await cell("2031-05-01").focus();
  for (const [key, to] of [
    ["ArrowRight", "2031-05-02"],
    ["ArrowDown", "2031-05-09"],
    ["ArrowLeft", "2031-05-08"],
    ["ArrowUp", "2031-05-01"],
    ["End", "2031-05-04"],
    ["Home", "2031-04-28"],
    ["PageDown", "2031-05-28"],
    ["ArrowDown", "2031-06-04"],
  ] as const) {
    await keys.press(key);
    await expect(cell(to), `after ${key}`).toBeFocused();
  }
  await expect(page).toHaveURL(/\?month=2031-06$/);
  await keys.press("Enter");
  const dialog = page.getByRole("dialog", { name: "Wednesday 4 June 2031" });
  await expect(dialog.getByRole("textbox", { name: "Add a task" })).toBeFocused();
  await expect(dialog.getByRole("list", { name: "Understood" })).toContainText("4 Jun 2031");
  await keys.type("pick up the keys at 8:15");
  await keys.press("Enter");
  await expect(dialog.getByRole("textbox", { name: "Add a task" })).toHaveValue("");
  await expect(dialog.getByRole("button", { name: /pick up the keys$/ })).toBeVisible();
  await keys.press("Escape");
  await expect(dialog).toHaveCount(0);
  await expect(cell("2031-06-04")).toContainText("pick up the keys");
  await expect(cell("2031-06-04")).toBeFocused();
  await expect
    .poll(async () => (await all(pat)).map((t) => [t.title, t.due_date]))
    .toEqual([["pick up the keys", "2031-06-04T06:15:00Z"]]);
});

test("a task dragged to another day keeps its time, and without a mouse there is a button for it", async ({
  person,
}) => {
  const pat = await person();
  const { page } = pat;
  const timed = await make(pat, { title: "Dentist", due_date: "2031-05-13T07:30:00Z" });
  const whole = await make(pat, { title: "Holiday", due_date: "2031-05-14" });
  await open(page, "/calendar?month=2031-05");
  const cell = (d: string) => page.locator(`[data-day="${d}"]`);
  await drag(page, cell("2031-05-13").getByRole("button", { name: /Dentist/ }), cell("2031-05-22"));
  await expect(cell("2031-05-22")).toContainText("Dentist");
  await becomes(pat, timed.id, { due_date: "2031-05-22T07:30:00Z" });
  await expect(cell("2031-05-13")).not.toContainText("Dentist");

  await cell("2031-05-14").focus();
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: "Move Holiday to…" }).click();
  const move = page.getByRole("dialog", { name: "Move to…" });
  await move.getByLabel("Another day").fill("2031-05-26");
  await move.getByRole("button", { name: "Move", exact: true }).click();
  await becomes(pat, whole.id, { due_date: "2031-05-26" });
  await page.keyboard.press("Escape");
  await expect(cell("2031-05-26")).toContainText("Holiday");
});

type Wanted = {
  title: string;
  due?: string;
  priority?: string;
  tags?: string[];
  reminders?: number[];
  rule?: string;
};

test("what people complained of elsewhere becomes the task they meant", async ({ person }) => {
  test.setTimeout(90_000);
  const plain = (title: string): [string, Wanted] => [title, { title }];
  const sentences: [typed: string, wanted: Wanted][] = [
    plain("Read The 5th Wave"),
    plain("check money"),
    plain("Buy paprika and marjoram"),
    plain("Explain Good Friday"),
    plain("Meet at 25:00"),
    plain("Close issue #12"),
    plain("Wow !important"),
    plain("Remind me to call mum"),
    [`Read "The Day after Tomorrow" tomorrow`, { title: "Read The Day after Tomorrow", due: day(1) }],
    [`<b>bold</b> & "quoted #tag !high"`, { title: "<b>bold</b> & quoted #tag !high" }],
    [
      "Pay rent tomorrow !urgent #money *1d",
      { title: "Pay rent", due: day(1), priority: "urgent", tags: ["money"], reminders: [1440] },
    ],
    ["Fix 日本語 👩‍🚀 in 2 weeks", { title: "Fix 日本語 👩‍🚀", due: day(14) }],
    ["Water every! 3 days starting tomorrow", { title: "Water", due: day(1), rule: "FREQ=DAILY;INTERVAL=3" }],
  ];
  const pat = await person();
  const { page } = pat;
  await open(page, "/all");
  const box = page.getByRole("textbox", { name: "Add a task" });
  for (const [typed, wanted] of sentences) {
    const answered = page.waitForResponse(
      (r) => r.request().method() === "POST" && r.url().endsWith("/tasks") && r.status() === 201,
    );
    await box.fill(typed);
    await box.press("Enter");
    const { id } = (await (await answered).json()) as { id: string };
    await expect(box).toHaveValue("");
    const task = await known(pat, id);
    expect
      .soft(
        {
          title: task.title,
          due: task.due_date ?? undefined,
          priority: task.priority,
          tags: task.tags,
          reminders: task.reminders,
          rule: task.recurrence?.rule,
        },
        typed,
      )
      .toEqual({ due: undefined, priority: "none", tags: [], reminders: [], rule: undefined, ...wanted });
  }
  // What was understood wrongly is taken back with a click.
  await box.fill("Watch The Day tomorrow");
  await page.getByRole("list", { name: "Understood" }).getByRole("button").click();
  await expect(page.getByRole("list", { name: "Understood" })).toHaveCount(0);
  await box.press("Enter");
  await expect(box).toHaveValue("");
  await expect
    .poll(async () => (await all(pat, "?q=Watch")).map((t) => [t.title, t.due_date]))
    .toEqual([["Watch The Day tomorrow", null]]);
});
