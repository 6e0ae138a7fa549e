import { all, becomes, day, drag, known, make, makeAll, open, undo } from "../known";
import { expect, row, test } from "../suite";

test("every field of a task is changed in its sheet, and the server has it so", async ({ person }) => {
  const pat = await person();
  const task = await make(pat, { title: "Draft" });
  await open(pat.page, `/all?task=${task.id}`);
  const sheet = pat.page.getByRole("dialog");
  await sheet.getByLabel("Title").fill("The plan");
  await sheet.getByLabel("Title").press("Enter");
  await expect(pat.page.getByRole("dialog", { name: "The plan" })).toBeVisible();
  await sheet.getByLabel("Description").fill("First this,\nthen that.");
  await sheet.getByLabel("Description").blur();
  const due = sheet.getByRole("group", { name: "Due" }).last();
  await due.getByRole("button", { name: "Tomorrow" }).click();
  await becomes(pat, task.id, { due_date: day(1) });
  await due.getByLabel("All day").click();
  await due.getByLabel("Due time").fill("14:30");
  await sheet.getByLabel("Priority").selectOption("High");
  const tags = sheet.getByRole("textbox", { name: "Tags" }).or(sheet.getByRole("combobox", { name: "Tags" }));
  await tags.fill("home");
  await tags.press("Enter");
  await tags.fill("garden");
  await tags.press("Enter");
  await sheet.getByLabel("Add a reminder").selectOption("30");
  await sheet.getByLabel("How often").selectOption("Daily");
  await sheet.getByRole("button", { name: "Apply" }).click();
  await becomes(pat, task.id, {
    title: "The plan",
    description: "First this,\nthen that.",
    priority: "high",
    tags: ["garden", "home"],
    reminders: [30],
    recurrence: { rule: "FREQ=DAILY" },
  });
  const now = await known(pat, task.id);
  const clock = new Intl.DateTimeFormat("sv", {
    timeZone: "Europe/Oslo",
    dateStyle: "short",
    timeStyle: "short",
  });
  expect(clock.format(new Date(now.due_date ?? ""))).toBe(`${day(1)} 14:30`);
  // What was saved is what another window reads.
  await pat.page.reload();
  await expect(sheet.getByLabel("Title")).toHaveValue("The plan");
  await expect(sheet.getByLabel("Due time")).toHaveValue("14:30");
  await expect(sheet.getByLabel("Priority")).toHaveValue("high");
});

test("a title is changed in its row: Enter saves it, Escape leaves it", async ({ person }) => {
  const pat = await person();
  const task = await make(pat, { title: "Old name" });
  await open(pat.page, "/all");
  await pat.page.getByRole("button", { name: "Old name", exact: true }).dblclick();
  const editor = pat.page.getByRole("textbox", { name: "Title of Old name" });
  await editor.fill("given up");
  await editor.press("Escape");
  await expect(pat.page.getByRole("button", { name: "Old name", exact: true })).toBeFocused();
  await pat.page.getByRole("button", { name: "Old name", exact: true }).dblclick();
  await editor.fill("New name");
  await editor.press("Enter");
  await expect(pat.page.getByRole("button", { name: "New name", exact: true })).toBeVisible();
  await undo(pat.page, "Renamed", () => becomes(pat, task.id, { title: "New name" }));
  await becomes(pat, task.id, { title: "Old name" });
});

test("what is deleted comes back by Undo and from the trash", async ({ person }) => {
  const pat = await person();
  const task = await make(pat, { title: "Keep me" });
  await open(pat.page, "/all");
  const remove = async () => {
    await row(pat.page, "Keep me").hover();
    await pat.page.getByRole("button", { name: "More for Keep me" }).click();
    await pat.page.getByRole("menuitem", { name: "Delete" }).click();
    await expect(row(pat.page, "Keep me")).toHaveCount(0);
  };
  await remove();
  await undo(pat.page, "Deleted “Keep me”", async () => {
    await expect.poll(async () => (await known(pat, task.id)).deleted_at).not.toBeNull();
  });
  await expect(row(pat.page, "Keep me")).toHaveCount(1);
  await becomes(pat, task.id, { deleted_at: null });
  await remove();
  await pat.page.getByRole("link", { name: "Trash" }).click();
  await pat.page.getByRole("button", { name: "Restore Keep me" }).click();
  await expect(row(pat.page, "Keep me")).toHaveCount(0);
  await expect(pat.page.getByText("The trash is empty")).toBeVisible();
  await becomes(pat, task.id, { deleted_at: null });
  await pat.page.getByRole("link", { name: "All tasks" }).click();
  await expect(row(pat.page, "Keep me")).toHaveCount(1);
});

test("completing and moving a task are taken back by Undo", async ({ person }) => {
  const pat = await person();
  const task = await make(pat, { title: "Walk", due_date: `${day(2)}T08:30:00Z` });
  await open(pat.page, "/all");
  await pat.page.getByRole("checkbox", { name: "Complete Walk" }).click();
  await expect(row(pat.page, "Walk")).toHaveCount(0);
  await undo(pat.page, "Completed “Walk”", () => becomes(pat, task.id, { completed: true }));
  await expect(row(pat.page, "Walk")).toHaveCount(1);
  await becomes(pat, task.id, { completed: false });

  await row(pat.page, "Walk").hover();
  await pat.page.getByRole("button", { name: "More for Walk" }).click();
  await pat.page.getByRole("menuitem", { name: "Move to…" }).click();
  await pat.page.getByRole("dialog", { name: "Move to…" }).getByRole("button", { name: "Tomorrow" }).click();
  // On another day, at its own time.
  await undo(pat.page, "Moved “Walk” to tomorrow", () =>
    becomes(pat, task.id, { due_date: `${day(1)}T08:30:00Z` }),
  );
  await becomes(pat, task.id, { due_date: `${day(2)}T08:30:00Z` });
});

test("several tasks are prioritized, tagged, moved, completed and deleted at once, and each of it is taken back", async ({
  person,
}) => {
  const pat = await person();
  const tasks = await makeAll(
    pat,
    ["One", "Two", "Three"].map((title) => ({ title, priority: title === "Two" ? "low" : "none" })),
  );
  await open(pat.page, "/all");
  const bar = pat.page.getByRole("toolbar", { name: "Selected tasks" });
  const select = async () => {
    for (const { title } of tasks)
      await pat.page.getByRole("checkbox", { name: `Select ${title}`, exact: true }).click();
    await expect(bar).toContainText("3 selected");
  };
  const each = async (want: (now: Awaited<ReturnType<typeof known>>) => unknown, is: unknown[]) =>
    expect.poll(() => Promise.all(tasks.map(async (t) => want(await known(pat, t.id))))).toEqual(is);

  await select();
  await bar.getByRole("button", { name: "Priority…" }).click();
  await pat.page.getByRole("menuitem", { name: "Urgent" }).click();
  await expect(bar).toHaveCount(0);
  await undo(pat.page, "Set the priority of 3 tasks to urgent", () =>
    each((t) => t.priority, ["urgent", "urgent", "urgent"]),
  );
  await each((t) => t.priority, ["none", "low", "none"]);

  await select();
  await bar.getByRole("button", { name: "Tag…" }).click();
  await pat.page.getByLabel("Tag to add").fill("errand");
  await pat.page.getByLabel("Tag to add").press("Enter");
  await undo(pat.page, "Tagged 3 tasks #errand", () =>
    each((t) => t.tags, [["errand"], ["errand"], ["errand"]]),
  );
  await each((t) => t.tags, [[], [], []]);
  await bar.getByRole("button", { name: "Clear selection" }).click();

  await select();
  await bar.getByRole("button", { name: "Complete" }).click();
  await expect(row(pat.page, "Two")).toHaveCount(0);
  await undo(pat.page, "Completed 3 tasks", () => each((t) => t.completed, [true, true, true]));
  await each((t) => t.completed, [false, false, false]);

  await select();
  await bar.getByRole("button", { name: "Delete" }).click();
  await expect(pat.page.getByText("No open tasks")).toBeVisible();
  await undo(pat.page, "Deleted 3 tasks", () => each((t) => t.deleted_at !== null, [true, true, true]));
  await each((t) => t.deleted_at, [null, null, null]);
  await expect(pat.page.locator("[data-task-id]")).toHaveCount(3);
});

test("a task dragged onto Tomorrow, and onto Today in the navigation, is due then", async ({ person }) => {
  const pat = await person();
  const task = await make(pat, { title: "Parcel" });
  await open(pat.page, "/all");
  const title = pat.page.getByRole("button", { name: "Parcel", exact: true });
  await drag(pat.page, title, pat.page.locator('[data-drop="Tomorrow"]'));
  await becomes(pat, task.id, { due_date: day(1) });
  await expect(row(pat.page, "Parcel")).toContainText("Tomorrow");
  await drag(pat.page, title, pat.page.getByRole("link", { name: "Today" }));
  await becomes(pat, task.id, { due_date: day(0) });
  await expect(pat.page.locator("[data-drop]")).toHaveCount(0);
});

test("an occurrence is skipped, and the next one comes", async ({ person }) => {
  const pat = await person();
  const task = await make(pat, { title: "Bins", due_date: day(1), recurrence: "weekly" });
  await open(pat.page, "/all");
  await row(pat.page, "Bins").hover();
  await pat.page.getByRole("button", { name: "More for Bins" }).click();
  await pat.page.getByRole("menuitem", { name: "Skip this occurrence" }).click();
  await becomes(pat, task.id, { skipped: true, completed: false });
  await expect(pat.page.locator(`[data-task-id="${task.id}"]`)).toHaveCount(0);
  await expect(row(pat.page, "Bins")).toHaveCount(1);
  await expect.poll(async () => (await all(pat, "?status=open")).map((t) => t.due_date)).toEqual([day(8)]);
});

test("a snoozed task reminds in an hour and keeps its due date", async ({ person }) => {
  const pat = await person();
  const task = await make(pat, { title: "Letter", due_date: day(0) });
  await open(pat.page, "/today");
  await row(pat.page, "Letter").hover();
  await pat.page.getByRole("button", { name: "More for Letter" }).click();
  await pat.page.getByRole("menuitem", { name: "Snooze…" }).click();
  const asked = Date.now();
  await pat.page
    .getByRole("dialog", { name: "Remind me again" })
    .getByRole("button", { name: "In 1 hour" })
    .click();
  await undo(pat.page, "Snoozed “Letter”", async () => {
    const { remind_at, due_date } = await known(pat, task.id);
    expect(remind_at).toHaveLength(1);
    expect(Math.abs(Date.parse(remind_at[0] ?? "") - asked - 3_600_000)).toBeLessThan(30_000);
    expect(due_date).toBe(day(0));
  });
  await becomes(pat, task.id, { remind_at: [] });
});

test("a task sent off twice in a moment is made once", async ({ person }) => {
  const pat = await person();
  await open(pat.page, "/all");
  let sent = 0;
  pat.page.on("request", (r) => {
    if (r.method() === "POST" && r.url().endsWith("/tasks")) sent++;
  });
  const box = pat.page.getByRole("textbox", { name: "Add a task" });
  await box.fill("only once");
  await box.evaluate((field: HTMLInputElement) => {
    field.form?.requestSubmit();
    field.form?.requestSubmit();
  });
  await box.press("Enter");
  await expect(box).toHaveValue("");
  // What is added after it has been answered shows that nothing of it is still to come.
  await box.fill("and then this");
  await box.press("Enter");
  await expect(box).toHaveValue("");
  await expect
    .poll(async () => (await all(pat)).map((t) => t.title).sort())
    .toEqual(["and then this", "only once"]);
  expect(sent).toBe(2);
  await expect(pat.page.locator("[data-task-id]")).toHaveCount(2);
});

test("what the server refuses is said at its field, and what was typed stays", async ({ person }) => {
  const pat = await person();
  const task = await make(pat, { title: "Fine" });
  await open(pat.page, `/all?task=${task.id}`);
  const title = pat.page.getByRole("dialog").getByLabel("Title");
  await title.fill("not \u0001 fine");
  await title.press("Enter");
  await expect(title).toHaveAttribute("aria-invalid", "true");
  await expect(title).toHaveAccessibleDescription(/control characters/);
  await expect(title).toHaveValue("not \u0001 fine");
  await expect.poll(async () => (await known(pat, task.id)).title).toBe("Fine");
  await title.fill("fine again");
  await title.press("Enter");
  await becomes(pat, task.id, { title: "fine again" });
  await expect(title).not.toHaveAttribute("aria-invalid", "true");
});

test("a task whose answer is lost after the server made it is asked for again, and made once", async ({
  person,
}) => {
  const pat = await person();
  await open(pat.page, "/all");
  const keys: (string | undefined)[] = [];
  await pat.page.route("**/api/*/tasks", async (route) => {
    const request = route.request();
    if (request.method() !== "POST") return route.continue();
    keys.push(request.headers()["idempotency-key"]);
    if (keys.length > 1) return route.continue();
    expect((await route.fetch()).status()).toBe(201);
    await route.abort("connectionreset");
  });
  const box = pat.page.getByRole("textbox", { name: "Add a task" });
  await box.fill("exactly one");
  await box.press("Enter");
  await expect(box).toHaveValue("", { timeout: 15_000 });
  expect(keys).toHaveLength(2);
  expect(keys[0]).toBeTruthy();
  expect(keys[1]).toBe(keys[0]);
  await expect(row(pat.page, "exactly one")).toHaveCount(1);
  await expect.poll(async () => (await all(pat)).map((t) => t.title)).toEqual(["exactly one"]);
});

test("a date is taken off with the reminders that count back from it, and both come back", async ({
  person,
}) => {
  const pat = await person();
  const task = await make(pat, { title: "Letter", due_date: `${day(2)}T10:00:00Z`, reminders: [30] });
  await open(pat.page, "/all");
  await row(pat.page, "Letter").hover();
  await pat.page.getByRole("button", { name: "More for Letter" }).click();
  await pat.page.getByRole("menuitem", { name: "Move to…" }).click();
  await pat.page.getByRole("dialog", { name: "Move to…" }).getByRole("button", { name: "No date" }).click();
  await undo(pat.page, "Took the date off", () => becomes(pat, task.id, { due_date: null }));
  await expect.poll(async () => (await known(pat, task.id)).due_date).not.toBeNull();
  await expect.poll(async () => (await known(pat, task.id)).reminders).toEqual([30]);
});

test("Escape gives up what was typed in a field before it closes the sheet", async ({ person }) => {
  const pat = await person();
  const task = await make(pat, { title: "Letter", description: "Dear" });
  await open(pat.page, `/all?task=${task.id}`);
  const sheet = pat.page.getByRole("dialog", { name: "Letter" });
  await sheet.getByLabel("Description").fill("Something else");
  await pat.page.keyboard.press("Escape");
  await expect(sheet.getByLabel("Description")).toHaveValue("Dear");
  await pat.page.keyboard.press("Escape");
  await expect(sheet).toHaveCount(0);
});

test("a link to no task at all says so", async ({ person }) => {
  const pat = await person();
  await pat.page.goto("/all?task=not-an-id");
  await expect(pat.page.getByRole("dialog")).toContainText("There is no such task");
});
