import { expect, row, test } from "../suite";

test("while task-api is away what somebody does is refused honestly, and nothing is lost", async ({
  person,
  control,
}) => {
  test.setTimeout(120_000);
  const pat = await person();
  await pat.api("POST", "/tasks", { title: "there before" });
  await pat.page.goto("/all");
  await expect(row(pat.page, "there before")).toBeVisible();

  await control.kill("task-api");
  const box = pat.page.getByRole("textbox", { name: "Add a task" });
  await box.fill("written while it was away");
  await box.press("Enter");
  await expect(
    pat.page.getByText(/task-api does not answer|cannot be reached|try again/i).first(),
  ).toBeVisible({ timeout: 30_000 });
  await expect(box).toHaveValue("written while it was away");
  await expect(row(pat.page, "written while it was away")).toHaveCount(0);
  const done = pat.page.getByRole("checkbox", { name: "Complete there before" });
  await done.click();
  await expect(done).not.toBeChecked({ timeout: 30_000 });
  await expect(row(pat.page, "there before")).toBeVisible();

  await control.start("task-api");
  await box.press("Enter");
  await expect(row(pat.page, "written while it was away")).toHaveCount(1);
  await expect(box).toHaveValue("");
  await done.click();
  await expect(row(pat.page, "there before")).toHaveCount(0);
  await pat.page.goto("/completed");
  await expect(row(pat.page, "there before")).toHaveCount(1);
});
