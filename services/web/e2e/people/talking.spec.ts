import { open } from "../known";
import { expect, row, test } from "../suite";

test("the chat adds a task, lists what there is, and deletes only after approval", async ({ person }) => {
  const pat = await person();
  await open(pat.page, "/all");
  await pat.page.getByRole("button", { name: "Chat", exact: true }).click();
  const chat = pat.page.getByRole("complementary", { name: "Chat" });
  const say = async (text: string) => {
    await chat.getByRole("textbox", { name: "Message" }).fill(text);
    await chat.getByRole("button", { name: "Send" }).click();
  };

  await say("add buy milk tomorrow at 5pm");
  await expect(chat.getByRole("list", { name: "What was done" }).first()).toBeVisible({ timeout: 30_000 });
  await expect(row(pat.page, "buy milk")).toBeVisible();

  await say("what is due tomorrow?");
  await expect(chat.getByText(/buy milk/i).last()).toBeVisible({ timeout: 30_000 });
  await expect(chat.getByRole("list", { name: "What was done" })).toHaveCount(2, { timeout: 30_000 });

  await say("delete buy milk");
  const asked = chat.getByRole("group", { name: "Approval needed" });
  await expect(asked).toBeVisible({ timeout: 30_000 });
  await expect(asked).toContainText(/buy milk/i);
  await expect(row(pat.page, "buy milk")).toBeVisible();
  await asked.getByRole("button", { name: "Approve" }).click();
  await expect(row(pat.page, "buy milk")).toHaveCount(0, { timeout: 30_000 });
  await expect(asked.getByRole("button", { name: "Approve" })).toHaveCount(0);

  await pat.page.reload();
  // The panel is open as it was, with what was said.
  await expect(chat.getByText("delete buy milk").first()).toBeVisible({ timeout: 15_000 });
});
