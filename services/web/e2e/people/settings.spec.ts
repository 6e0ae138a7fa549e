import { readFile } from "node:fs/promises";

import type { Page } from "@playwright/test";

import { day, make, open } from "../known";
import { expect, row, test } from "../suite";

const section = (page: Page, name: string) => page.getByRole("region", { name });

test("another time zone is the profile's, and every open list follows it", async ({ person }) => {
  const pat = await person();
  await make(pat, { title: "Call", due_date: "2031-05-17T20:00:00Z" });
  const list = await pat.context.newPage();
  await open(list, "/all");
  await expect(row(list, "Call")).toContainText("17 May 2031 22:00");
  const { page } = pat;
  await open(page, "/settings");
  const zone = section(page, "Time zone");
  await zone.getByRole("button", { name: "Time zone: Europe/Oslo. Change" }).click();
  const search = page.getByRole("combobox", { name: "Search time zones" });
  await search.fill("auckl");
  await expect(page.getByRole("option")).toHaveCount(1);
  await search.press("Enter");
  await expect(zone.getByRole("button", { name: "Time zone: Pacific/Auckland. Change" })).toBeVisible();
  const kept = async () =>
    ((await (await pat.api("GET", "/profile")).json()) as { time_zone: string }).time_zone;
  await expect.poll(kept).toBe("Pacific/Auckland");
  // The other window has heard of it, without a reload.
  await expect(row(list, "Call")).toContainText("18 May 2031 08:00");
  await page.getByRole("link", { name: "All tasks" }).click();
  await expect(row(page, "Call")).toContainText("18 May 2031 08:00");
});

test("a chosen theme is in the first bytes of the next page, so that nothing flashes", async ({ person }) => {
  const pat = await person({ colorScheme: "light" });
  const { page } = pat;
  await open(page, "/settings");
  const html = page.locator("html");
  await expect(html).not.toHaveClass(/\bdark\b/);
  const dark = () => html.evaluate((e) => getComputedStyle(e).colorScheme.includes("dark"));
  const theme = section(page, "Theme");
  await theme.getByRole("radio", { name: "Dark" }).check();
  await expect(html).toHaveClass(/\bdark\b/);
  const before = await page.evaluate(() => getComputedStyle(document.body).color);
  const served = async () => /<html[^>]*>/.exec(await (await pat.context.request.get("/today")).text())?.[0];
  expect(await served()).toMatch(/class="[^"]*\bdark\b/);
  await page.reload();
  await expect(theme.getByRole("radio", { name: "Dark" })).toBeChecked();
  expect(await dark()).toBe(true);
  expect(await page.evaluate(() => getComputedStyle(document.body).color)).toBe(before);
  await theme.getByRole("radio", { name: "System" }).check();
  await expect(html).not.toHaveClass(/\bdark\b/);
  expect(await page.evaluate(() => getComputedStyle(document.body).color)).not.toBe(before);
  expect(await served()).not.toMatch(/class="[^"]*\bdark\b/);
});

test("an API token is shown once, does what its scope says, and nothing any more once it is revoked", async ({
  person,
  request,
}) => {
  const pat = await person();
  await make(pat, { title: "seen by a script" });
  const { page } = pat;
  await open(page, "/settings");
  const tokens = section(page, "API tokens");
  await expect(tokens).toContainText("You have none.");
  await tokens.getByRole("button", { name: "New token" }).click();
  await page.getByRole("button", { name: "Create token" }).click();
  await expect(page.getByLabel("What it is for")).toHaveAccessibleDescription("Say what it is for.");
  await page.getByLabel("What it is for").fill("nightly script");
  await page.getByRole("button", { name: "Create token" }).click();
  const token = await page.getByRole("dialog").getByLabel("Token", { exact: true }).inputValue();
  expect(token.length).toBeGreaterThan(20);
  await page.getByRole("button", { name: "Done" }).click();
  await expect(tokens.getByRole("list", { name: "API tokens" })).toContainText("nightly script");
  await page.reload();
  await expect(tokens.getByRole("list", { name: "API tokens" })).toContainText("nightly script");
  expect(await page.content()).not.toContain(token);

  const ask = (method: string, data?: unknown) =>
    request.fetch(`/api/${pat.id}/tasks`, { method, data, headers: { Authorization: `Bearer ${token}` } });
  const read = await ask("GET");
  expect(read.status()).toBe(200);
  expect(await read.text()).toContain("seen by a script");
  expect((await ask("POST", { title: "not allowed" })).status()).toBe(403);

  await tokens.getByRole("button", { name: "Revoke nightly script" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Revoke", exact: true }).click();
  await expect(tokens).toContainText("You have none.");
  await expect.poll(async () => (await ask("GET")).status(), { timeout: 12_000 }).toBe(401);
});

test("exports hold the tasks, and the snippets for agents name this place", async ({ person, baseURL }) => {
  const pat = await person();
  await make(pat, { title: "Exported, with a comma; and more", due_date: day(3), tags: ["kept"] });
  const { page } = pat;
  await open(page, "/settings");
  const download = async (button: string): Promise<[name: string, text: string]> => {
    const started = page.waitForEvent("download");
    await section(page, "Export").getByRole("button", { name: button }).click();
    const file = await started;
    return [file.suggestedFilename(), await readFile(await file.path(), "utf8")];
  };
  const [jsonName, json] = await download("Everything (JSON)");
  expect(jsonName).toMatch(/^taskflow-\d{4}-\d\d-\d\d\.json$/);
  const { tasks } = JSON.parse(json) as { tasks: { title: string; tags: string[] }[] };
  expect(tasks).toMatchObject([{ title: "Exported, with a comma; and more", tags: ["kept"] }]);
  const [icsName, ics] = await download("Calendar (.ics)");
  expect(icsName).toMatch(/\.ics$/);
  expect(ics).toMatch(/^BEGIN:VCALENDAR\r\n/);
  expect(ics).toContain("SUMMARY:Exported\\, with a comma\\; and more");
  expect(ics).toContain(day(3).replaceAll("-", ""));

  const mcp = section(page, "Connect an agent (MCP)");
  await expect(mcp).toContainText(`${baseURL}/mcp`);
  for (const tab of await mcp.getByRole("tab").all()) {
    await tab.click();
    await expect(mcp.getByRole("tabpanel")).toContainText(`${baseURL}/mcp`);
  }
});
