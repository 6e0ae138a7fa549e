import { open } from "../known";
import { type Task, expect, row, test } from "../suite";

test("a token that has run out is renewed without anybody noticing", async ({ person }) => {
  const pat = await person();
  await open(pat.page, "/all");
  await pat.context.clearCookies({ name: "taskflow_token" });
  const box = pat.page.getByRole("textbox", { name: "Add a task" });
  await box.fill("made with an old token");
  await box.press("Enter");
  await expect(row(pat.page, "made with an old token")).toHaveCount(1);
  await expect.poll(async () => (await pat.context.cookies()).map((c) => c.name)).toContain("taskflow_token");
  await expect
    .poll(async () =>
      ((await (await pat.api("GET", "/tasks")).json()) as { items: Task[] }).items.map((t) => t.title),
    )
    .toEqual(["made with an old token"]);
});

test("when the session has run out too, sign-in leads back to the same place", async ({ person }) => {
  const pat = await person();
  await open(pat.page, "/all?q=tea");
  await pat.context.clearCookies();
  await pat.page.reload();
  await expect(pat.page).toHaveURL(/\/sign-in/);
  await pat.page.getByLabel("Email").fill(pat.email);
  await pat.page.getByLabel("Password", { exact: true }).fill(pat.password);
  await pat.page.getByRole("button", { name: "Sign in" }).click();
  await expect(pat.page).toHaveURL(/\/all\?q=tea$/);

  // The same when it happens in the middle of something.
  await expect(pat.page.getByRole("status", { name: "Connection" })).toHaveText(/Live/);
  await pat.context.clearCookies();
  const box = pat.page.getByRole("textbox", { name: "Add a task" });
  await box.fill("not saved yet");
  await box.press("Enter");
  await expect(pat.page).toHaveURL(/\/sign-in\?next=/);
});

test("a reload in the middle of an edit keeps what was typed", async ({ person }) => {
  const pat = await person();
  const task = (await (
    await pat.api("POST", "/tasks", { title: "Letter", description: "Dear" })
  ).json()) as Task;
  await open(pat.page, `/all?task=${task.id}`);
  const description = pat.page.getByRole("dialog").getByLabel("Description");
  await expect(description).toHaveValue("Dear");
  await description.fill("Dear Ann, this is not saved yet");
  await pat.page.reload();
  await expect(pat.page.getByRole("dialog").getByLabel("Description")).toHaveValue(
    "Dear Ann, this is not saved yet",
  );
});

test("an account is deleted with everything, and its password opens nothing any more", async ({ person }) => {
  const pat = await person();
  await pat.api("POST", "/tasks", { title: "to be gone" });
  // Both windows hear that the services have forgotten the user before the account itself goes.
  const other = await pat.context.newPage();
  const forgotten = [pat.page, other].map(async (page) =>
    (await page.waitForEvent("websocket")).waitForEvent("close", { timeout: 60_000 }),
  );
  await pat.page.route("**/api/auth/delete-user", async (route) => {
    await Promise.all(forgotten);
    await route.continue();
  });
  await open(other, "/all");
  await open(pat.page, "/settings");
  const danger = pat.page.getByRole("region", { name: "Delete account" });
  await danger.getByRole("button", { name: /delete/i }).click();
  const dialog = pat.page.getByRole("dialog");
  await dialog.getByLabel(/e-?mail/i).fill(pat.email);
  await dialog
    .getByLabel(/password/i)
    .first()
    .fill("not the password");
  await dialog.getByRole("button", { name: /delete/i }).click();
  await expect(dialog.getByRole("alert")).toBeVisible();
  await dialog
    .getByLabel(/password/i)
    .first()
    .fill(pat.password);
  await dialog.getByRole("button", { name: /delete/i }).click();
  // The dialog leads to one, a window that hears of it first to the other.
  await expect(pat.page).toHaveURL(/\/sign-(up|in)$/, { timeout: 20_000 });
  const again = await pat.context.request.post("/api/auth/sign-in/email", {
    data: { email: pat.email, password: pat.password },
  });
  expect(again.status()).toBe(401);
  await expect(other).toHaveURL(/\/sign-in/);
});
