import { expect, row, test } from "../suite";

test("while the notifier is away the page says so and polls; when it is back nothing is missing", async ({
  person,
  control,
}) => {
  test.setTimeout(180_000);
  const pat = await person();
  await pat.page.goto("/all");
  const connection = pat.page.getByRole("status", { name: "Connection" });
  await expect(connection).toHaveText(/Live/);

  await control.kill("notifier");
  await expect(connection).toHaveText(/Reconnecting/);
  await pat.api("POST", "/tasks", { title: "made while nobody listened" });
  await expect(connection).toHaveText(/Checking every 30 s/, { timeout: 90_000 });
  await expect(row(pat.page, "made while nobody listened")).toBeVisible({ timeout: 45_000 });
  await pat.api("POST", "/tasks", { title: "made just before it came back" });
  await control.start("notifier");
  await expect(connection).toHaveText(/Live/, { timeout: 60_000 });
  await expect(row(pat.page, "made just before it came back")).toBeVisible();
  await pat.api("POST", "/tasks", { title: "made after" });
  await expect(row(pat.page, "made after")).toBeVisible({ timeout: 2_000 });
  await expect(pat.page.getByRole("list", { name: "Tasks" }).getByRole("listitem")).toHaveCount(3);
});
