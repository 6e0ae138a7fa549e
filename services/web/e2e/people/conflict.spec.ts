import { type Task, expect, test } from "../suite";

test("two tabs change the same field of a task: the later one is shown both versions", async ({ person }) => {
  const pat = await person();
  const task = (await (await pat.api("POST", "/tasks", { title: "Draft" })).json()) as Task;
  await pat.page.goto(`/all?task=${task.id}`);
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
