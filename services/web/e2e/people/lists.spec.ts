import { all, becomes, day, make, makeAll, open } from "../known";
import { type Person, type Task, expect, row, test } from "../suite";

const shown = (of: Person) =>
  of.page
    .locator("[data-task-id]")
    .getByRole("button", { disabled: false })
    .and(of.page.locator("[data-task-title]"));

test("search, filters and order stand in the address, and survive a reload and the way back", async ({
  person,
}) => {
  const pat = await person();
  const { page } = pat;
  await makeAll(pat, [
    { title: "Write report", priority: "high", tags: ["work"] },
    { title: "Answer report mails", priority: "urgent", tags: ["work"] },
    { title: "Report a leak", priority: "high", tags: ["home"] },
    { title: "Water plants", priority: "high", tags: ["home"] },
  ]);
  await open(page, "/all");
  await expect(shown(pat)).toHaveCount(4);
  await page.getByRole("searchbox", { name: "Search tasks" }).fill("report");
  await expect(page).toHaveURL(/\?q=report$/);
  await expect(shown(pat)).toHaveCount(3);
  await page.getByRole("button", { name: /^Filter/ }).click();
  await page.getByRole("checkbox", { name: "High" }).click();
  await page.getByRole("checkbox", { name: "Urgent" }).click();
  await page.getByRole("button", { name: "#work" }).click();
  await page.keyboard.press("Escape");
  await page.getByRole("combobox", { name: "Sort by" }).selectOption("Title");
  const want = ["Answer report mails", "Write report"];
  await expect(shown(pat)).toHaveText(want);
  const params = () => Object.fromEntries(new URL(page.url()).searchParams);
  const address = { q: "report", priority: "high,urgent", tag: "work", sort: "title" };
  await expect.poll(params).toEqual(address);
  await page.reload();
  await expect(shown(pat)).toHaveText(want);
  await expect(page.getByRole("searchbox", { name: "Search tasks" })).toHaveValue("report");
  await expect(page.getByRole("combobox", { name: "Sort by" })).toHaveValue("title");
  await expect(page.getByRole("button", { name: /^Filter ?3$/ })).toBeVisible();

  // Opening a task is a step of its own: the way back closes it and leaves the filters.
  await page.getByRole("button", { name: "Write report", exact: true }).click();
  await expect(page.getByRole("dialog", { name: "Write report" })).toBeVisible();
  await page.goBack();
  await expect(page.getByRole("dialog")).toHaveCount(0);
  await expect(shown(pat)).toHaveText(want);
  await page.getByRole("link", { name: "Upcoming" }).click();
  await expect(page).toHaveURL(/\/upcoming$/);
  await page.goBack();
  await expect.poll(params).toEqual(address);
  await expect(shown(pat)).toHaveText(want);

  await page.getByRole("button", { name: "Clear search and filters" }).first().click();
  await expect(shown(pat)).toHaveCount(4);
  await page.getByRole("searchbox", { name: "Search tasks" }).fill("nothing has this name");
  await expect(page.getByText("Nothing matches")).toBeVisible();
});

test("Completed and Trash come page by page while one scrolls, all of them once", async ({ person }) => {
  test.setTimeout(90_000);
  const pat = await person();
  const { page } = pat;
  const titles = Array.from({ length: 120 }, (_, i) => `task ${String(i).padStart(3, "0")}`);
  const made = await makeAll(
    pat,
    titles.map((title) => ({ title })),
  );
  const both = async (op: "complete" | "delete") => {
    for (const some of [made.slice(0, 100), made.slice(100)])
      await pat.api("POST", "/tasks/batch", { operations: some.map(({ id }) => ({ op, id })) });
  };
  const scrolled = async (): Promise<string[]> => {
    const seen = new Set<string>();
    await expect
      .poll(
        async () => {
          for (const text of await page.locator("[data-task-title]").allTextContents()) seen.add(text);
          await page.mouse.wheel(0, 700);
          return seen.size;
        },
        { timeout: 30_000, intervals: [100] },
      )
      .toBe(titles.length);
    return [...seen].sort();
  };
  const pages: string[] = [];
  page.on("request", (r) => {
    const url = new URL(r.url());
    if (
      r.method() === "GET" &&
      url.pathname.endsWith("/tasks") &&
      url.searchParams.get("sort") === "-updated_at"
    )
      pages.push(url.searchParams.get("cursor") ?? "first");
  });

  await both("complete");
  await open(page, "/completed");
  await expect(page.locator("[data-task-title]").first()).toBeVisible();
  expect(pages).toHaveLength(1);
  await page.mouse.move(700, 600);
  expect(await scrolled()).toEqual(titles);
  expect(new Set(pages).size).toBe(3);

  await both("delete");
  pages.length = 0;
  await open(page, "/trash");
  await expect(page.getByRole("button", { name: /^Restore / }).first()).toBeVisible();
  await page.mouse.move(700, 600);
  expect(await scrolled()).toEqual(titles);
  expect(new Set(pages).size).toBe(3);
  // Of thousands, only what is in sight is in the page.
  expect(await page.locator("[data-task-id]").count()).toBeLessThan(80);
});

test("Upcoming stands under its days, later ones under their months", async ({ person }) => {
  const pat = await person();
  const { page } = pat;
  await makeAll(pat, [
    { title: "today's own", due_date: day(0) },
    { title: "first", due_date: day(1) },
    { title: "also first", due_date: `${day(1)}T10:00:00Z` },
    { title: "third", due_date: day(3) },
    { title: "far away", due_date: "2031-05-17" },
    { title: "no date" },
  ]);
  await open(page, "/upcoming");
  await expect(page.getByRole("heading", { level: 2, name: "Tomorrow" })).toBeVisible();
  const lines = await page
    .getByRole("list", { name: "Tasks" })
    .locator("h2, [data-task-title]")
    .evaluateAll((all) => all.map((e) => e.textContent));
  const at = (text: string) => lines.indexOf(text);
  expect(at("Tomorrow")).toBe(0);
  expect(lines.slice(1, 3)).toEqual(["also first", "first"]);
  const weekday = new Intl.DateTimeFormat("en", { weekday: "long", timeZone: "UTC" }).format(
    new Date(day(3)),
  );
  expect(at("third")).toBe(at(weekday) + 1);
  expect(lines.slice(-2)).toEqual(["May 2031", "far away"]);
  expect(lines).not.toContain("today's own");
  expect(lines).not.toContain("no date");
});

test("each list says that it is empty in its own words, and a task that is not there is said not to be", async ({
  person,
}) => {
  const pat = await person();
  const { page } = pat;
  await open(page, "/today");
  for (const [name, words] of [
    ["Today", "Nothing left for today"],
    ["Upcoming", "The days ahead are free"],
    ["Overdue", "Nothing is late"],
    ["All tasks", "No open tasks"],
    ["Completed", "Nothing completed yet"],
    ["Trash", "The trash is empty"],
  ] as const) {
    await page.getByRole("navigation", { name: "Views" }).getByRole("link", { name }).click();
    await expect(page.getByText(words)).toBeVisible();
  }
  await page.goto("/all?task=01a00000-0000-7000-8000-000000000000");
  await expect(page.getByRole("dialog")).toContainText("There is no such task");
  await page.getByRole("dialog").getByText("Close", { exact: true }).last().click();
  await expect(page).toHaveURL(/\/all$/);
});

test("somebody else's task is not there either", async ({ person }) => {
  const [pat, sam] = await Promise.all([person(), person()]);
  const task = await make(sam, { title: "private" });
  await pat.page.goto(`/all?task=${task.id}`);
  await expect(pat.page.getByRole("dialog")).toContainText("There is no such task");
  await expect(pat.page.getByText("private")).toHaveCount(0);
});

test("three windows show what each other do, each thing once", async ({ person }) => {
  test.setTimeout(90_000);
  const pat = await person();
  const windows = [pat.page, await pat.elsewhere(), await pat.context.newPage()];
  for (const page of windows) await open(page, "/all");
  for (const [n, page] of windows.entries()) {
    const box = page.getByRole("textbox", { name: "Add a task" });
    await box.fill(`from window ${n}`);
    await box.press("Enter");
    await expect(box).toHaveValue("");
  }
  for (const page of windows) {
    for (const n of windows.keys()) await expect(row(page, `from window ${n}`)).toHaveCount(1);
    await expect(page.locator("[data-task-id]")).toHaveCount(3);
  }
  const [first, second, third] = windows;
  if (!first || !second || !third) throw new Error("there are three");
  await first.getByRole("checkbox", { name: "Complete from window 1" }).click();
  await second.getByRole("button", { name: "from window 0", exact: true }).dblclick();
  await second.getByRole("textbox", { name: "Title of from window 0" }).fill("renamed in the second");
  await second.keyboard.press("Enter");
  await row(third, "from window 2").hover();
  await third.getByRole("button", { name: "More for from window 2" }).click();
  await third.getByRole("menuitem", { name: "Delete" }).click();
  for (const page of windows) {
    await expect(page.locator("[data-task-title]")).toHaveText(["renamed in the second"]);
  }
  // Counted again once all news has come: nothing is shown twice, and nothing comes back.
  const last = await make(pat, { title: "the end" });
  for (const page of windows) {
    await expect(page.locator(`[data-task-id="${last.id}"]`)).toBeVisible();
    await expect(page.locator("[data-task-id]")).toHaveCount(2);
  }
  await expect
    .poll(async () => (await all(pat, "?status=open")).map((t: Task) => t.title).sort())
    .toEqual(["renamed in the second", "the end"]);
});

test("a task that is deleted elsewhere says so where it is open, and can be brought back", async ({
  person,
}) => {
  const pat = await person();
  const task = await make(pat, { title: "Contested" });
  await open(pat.page, `/all?task=${task.id}`);
  const sheet = pat.page.getByRole("dialog", { name: "Contested" });
  await expect(sheet.getByLabel("Title")).toBeVisible();
  await pat.api("DELETE", `/tasks/${task.id}`);
  await expect(sheet).toContainText("In the trash since");
  await expect(sheet.getByLabel("Title")).toHaveCount(0);
  await sheet.getByRole("button", { name: "Restore" }).click();
  await becomes(pat, task.id, { deleted_at: null });
  await expect(row(pat.page, "Contested")).toBeVisible();
});
