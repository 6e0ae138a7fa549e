import { open } from "../known";
import { type Task, expect, test } from "../suite";

test("two tabs change the same field of a task: the later one is shown both versions", async ({ person }) => {
  const pat = await person();
  const task = (await (await pat.api("POST", "/tasks", { title: "Draft" })).json()) as Task;
  await open(pat.page, `/all?task=${task.id}`);
  const sheet = pat.page.getByRole("dialog", { name: "Draft" });
  await expect(sheet).toBeVisible();
  const title = sheet.getByLabel("Title");
  await title.fill("Mine");
  // The other tab is faster; this one has not heard of it when it saves.
  let first = true;
  await pat.page.route(`**/api/*/tasks/${task.id}`, async (route) => {
    if (first && route.request().method() === "PATCH") {
      first = false;
      await pat.api("PATCH", `/tasks/${task.id}`, { title: "Theirs" });
    }
    await route.continue();
  });
  await title.press("Enter");
  const dialog = pat.page.getByRole("dialog", { name: "This task was changed elsewhere" });
  await expect(dialog).toContainText("Mine");
  await expect(dialog).toContainText("Theirs");
  await dialog.getByRole("button", { name: "Keep mine" }).click();
  await expect(dialog).toHaveCount(0);
  await expect
    .poll(async () => ((await (await pat.api("GET", `/tasks/${task.id}`)).json()) as Task).title)
    .toBe("Mine");
});

test("what somebody else changes while one types is not overwritten unseen", async ({ person }) => {
  const pat = await person();
  const task = (await (await pat.api("POST", "/tasks", { title: "Draft" })).json()) as Task;
  await open(pat.page, `/all?task=${task.id}`);
  const sheet = pat.page.getByRole("dialog");
  const title = sheet.getByLabel("Title");
  await title.fill("Mine");
  await pat.api("PATCH", `/tasks/${task.id}`, { title: "Theirs" });
  // The page has heard of it: the dialog has the new name, the field what was typed.
  await expect(pat.page.getByRole("dialog", { name: "Theirs" })).toBeVisible();
  await expect(title).toHaveValue("Mine");
  await title.press("Enter");
  const asked = pat.page.getByRole("dialog", { name: "This task was changed elsewhere" });
  await expect(asked).toContainText("Mine");
  await asked.getByRole("button", { name: "Take theirs" }).click();
  await expect(asked).toHaveCount(0);
  await expect(title).toHaveValue("Theirs");
  expect(((await (await pat.api("GET", `/tasks/${task.id}`)).json()) as Task).title).toBe("Theirs");
});
