import type { Page } from "@playwright/test";

import { all, becomes, day, make, makeAll, open } from "../known";
import { expect, row, test } from "../suite";

const title = (page: Page, name: string) => page.getByRole("button", { name, exact: true });

test("a day's work is done without a mouse", async ({ person }) => {
  const pat = await person();
  const { page } = pat;
  const keys = page.keyboard;
  await open(page, "/today");

  // Adding: c leads to the field from anywhere.
  await keys.press("c");
  const box = page.getByRole("textbox", { name: "Add a task" });
  await expect(box).toBeFocused();
  for (const text of ["alpha !high", "beta", "gamma"]) {
    await keys.type(text);
    await keys.press("Enter");
    await expect(box).toHaveValue("");
    await expect(box).toBeFocused();
  }
  await expect(page.locator("[data-task-id]")).toHaveCount(3);
  await keys.press("Escape");
  await expect(box).not.toBeFocused();

  // Walking: j and k move the focus, and stop at the ends.
  await keys.press("j");
  await expect(title(page, "alpha")).toBeFocused();
  await keys.press("j");
  await expect(title(page, "beta")).toBeFocused();
  await keys.press("k");
  await keys.press("k");
  await expect(title(page, "alpha")).toBeFocused();

  // Renaming in place.
  await keys.press("e");
  const editor = page.getByRole("textbox", { name: "Title of alpha" });
  await expect(editor).toBeFocused();
  await keys.type(" and omega");
  await keys.press("Enter");
  await expect(title(page, "alpha and omega")).toBeFocused();

  // Opening and closing: the focus comes back to where it was.
  await keys.press("Enter");
  await expect(page.getByRole("dialog", { name: "alpha and omega" })).toBeVisible();
  await keys.press("Escape");
  await expect(page.getByRole("dialog")).toHaveCount(0);
  await expect(title(page, "alpha and omega")).toBeFocused();

  // Completing: the focus goes to the next one.
  await keys.press("d");
  await expect(row(page, "alpha and omega")).toHaveCount(0);
  await expect(title(page, "beta")).toBeFocused();

  // Selecting both, and moving them.
  await keys.press("x");
  await keys.press("j");
  await keys.press("x");
  await expect(page.getByRole("toolbar", { name: "Selected tasks" })).toContainText("2 selected");
  await keys.press("m");
  const dialog = page.getByRole("dialog", { name: "Move to…" });
  await expect(dialog.getByRole("button", { name: "Today" })).toBeFocused();
  await keys.press("Tab");
  await keys.press("Enter");
  await expect(dialog).toHaveCount(0);
  await expect(page.getByText("Nothing left for today")).toBeVisible();

  await keys.press("g");
  await keys.press("u");
  await expect(page).toHaveURL(/\/upcoming$/);
  await expect(title(page, "beta")).toBeVisible();
  await keys.press("j");
  await keys.press("#");
  await expect(row(page, "beta")).toHaveCount(0);

  const tasks = async () =>
    (await all(pat, "?status=all&sort=title")).map((t) => [t.title, t.completed, t.due_date, t.priority]);
  await expect.poll(tasks, "the page shows a deletion before the server has answered").toEqual([
    ["alpha and omega", true, day(0), "high"],
    ["gamma", false, day(1), "none"],
  ]);
});

test("g and a letter go to every list, / searches, ? shows what can be pressed", async ({ person }) => {
  const pat = await person();
  await makeAll(pat, [{ title: "apples" }, { title: "pears" }]);
  const { page } = pat;
  const keys = page.keyboard;
  await open(page, "/today");
  const places = {
    u: "upcoming",
    o: "overdue",
    a: "all",
    c: "completed",
    r: "trash",
    m: "calendar",
    s: "settings",
    t: "today",
  };
  for (const [key, place] of Object.entries(places)) {
    await keys.press("g");
    await keys.press(key);
    await expect(page).toHaveURL(new RegExp(`/${place}$`));
    await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
  }
  await keys.press("g");
  await keys.press("a");
  await expect(row(page, "apples")).toBeVisible();
  await keys.press("/");
  const search = page.getByRole("searchbox", { name: "Search tasks" });
  await expect(search).toBeFocused();
  await keys.type("pear");
  await expect(row(page, "apples")).toHaveCount(0);
  await expect(page).toHaveURL(/\?q=pear$/);
  await keys.press("Escape");
  await expect(search).toHaveValue("");
  await expect(row(page, "apples")).toBeVisible();
  await keys.press("Escape");
  await expect(search).not.toBeFocused();

  await keys.press("?");
  const help = page.getByRole("dialog", { name: "Keyboard shortcuts" });
  await expect(help).toContainText("Edit the title");
  await expect(help).toContainText("Upcoming");
  await keys.press("Escape");
  await expect(help).toHaveCount(0);
});

test("Ctrl-K and Cmd-K open the commands, from a field too; Enter does what is chosen", async ({
  person,
}) => {
  const pat = await person();
  const task = await make(pat, { title: "Fetch the bicycle" });
  const { page } = pat;
  const keys = page.keyboard;
  await open(page, "/all");
  const commands = page.getByRole("dialog", { name: "Commands" });
  const choose = async (name: RegExp) => {
    const option = commands.getByRole("option", { name }).first();
    await expect(option).toBeVisible();
    await expect(async () => {
      if ((await option.getAttribute("aria-selected")) !== "true") await keys.press("ArrowDown");
      await expect(option).toHaveAttribute("aria-selected", "true", { timeout: 1_000 });
    }).toPass();
  };

  await keys.press("Control+k");
  await expect(commands.getByRole("combobox")).toBeFocused();
  await keys.type("upcom");
  await choose(/^Upcoming/);
  await keys.press("Enter");
  await expect(page).toHaveURL(/\/upcoming$/);
  await expect(commands).toHaveCount(0);

  await page.getByRole("textbox", { name: "Add a task" }).focus();
  await keys.press("Meta+k");
  await keys.type("bicycle");
  await choose(/^Fetch the bicycle/);
  await keys.press("Enter");
  await expect(page.getByRole("dialog", { name: "Fetch the bicycle" })).toBeVisible();
  await expect(page).toHaveURL(new RegExp(`task=${task.id}`));
  await keys.press("Escape");
  await expect(page.getByRole("dialog")).toHaveCount(0);

  await keys.press("Control+k");
  await keys.type("dark");
  await choose(/^Use the dark theme/);
  await keys.press("Enter");
  await expect(page.locator("html")).toHaveClass(/\bdark\b/);
  await keys.press("Control+k");
  await expect(commands).toBeVisible();
  await keys.press("Escape");
  await expect(commands).toHaveCount(0);
});

test("nothing fires while one types, and single keys can be turned off", async ({ person }) => {
  const pat = await person();
  const task = await make(pat, { title: "steady" });
  const { page } = pat;
  const keys = page.keyboard;
  await open(page, "/all");
  await keys.press("j");
  await expect(title(page, "steady")).toBeFocused();
  const letters = "cjkxedmg tgu#?/";
  const box = page.getByRole("textbox", { name: "Add a task" });
  await box.focus();
  await keys.type(letters);
  await expect(box).toHaveValue(letters);
  await box.fill("");
  await open(page, `/all?task=${task.id}`);
  const description = page.getByRole("dialog").getByLabel("Description");
  await description.focus();
  await keys.type(letters);
  await expect(description).toHaveValue(letters);
  await description.blur();
  await becomes(pat, task.id, { description: letters, completed: false, deleted_at: null, title: "steady" });
  await expect(page).toHaveURL(/\/all\?task=/);
  await keys.press("Escape");
  await expect(page.getByRole("dialog")).toHaveCount(0);

  await keys.press("?");
  const help = page.getByRole("dialog", { name: "Keyboard shortcuts" });
  await help.getByRole("checkbox", { name: "Single-key shortcuts" }).press("Space");
  await keys.press("Escape");
  await expect(help).toHaveCount(0);
  for (const key of ["d", "#", "g", "u", "?", "c"]) await keys.press(key);
  // Those with Ctrl stay; this one also shows that the keys before it did nothing.
  await keys.press("Control+k");
  await expect(page.getByRole("dialog", { name: "Commands" })).toBeVisible();
  await expect(page.getByRole("dialog")).toHaveCount(1);
  await keys.press("Escape");
  await expect(page).toHaveURL(/\/all$/);
  await expect(row(page, "steady")).toBeVisible();
  await open(page, "/all");
  await expect(row(page, "steady")).toBeVisible();
  await keys.press("c");
  await keys.press("Control+k");
  await expect(page.getByRole("dialog", { name: "Commands" })).toBeVisible();
  await keys.press("Escape");
  await expect(box).not.toBeFocused();
});

test("the commands put what is called so before a search for it", async ({ person }) => {
  const pat = await person();
  await open(pat.page, "/all");
  await pat.page.keyboard.press("Control+k");
  await expect(pat.page.getByRole("combobox")).toBeFocused();
  await pat.page.keyboard.type("upcom");
  await expect(pat.page.getByRole("option", { name: /^Upcoming/ })).toHaveAttribute("aria-selected", "true");
  await pat.page.keyboard.press("Control+a");
  await pat.page.keyboard.type("nothing is called this");
  await pat.page.keyboard.press("Enter");
  await expect(pat.page).toHaveURL(/\/all\?q=nothing/);
});
