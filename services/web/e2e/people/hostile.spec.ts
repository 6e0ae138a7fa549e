import type { ConsoleMessage, Page } from "@playwright/test";

import { open } from "../known";
import { expect, row, test } from "../suite";

const strings = [
  `<img src=x onerror="window.hit=1">`,
  `<script>window.hit=2</script>`,
  `"><svg onload=window.hit=3>`,
  `javascript:window.hit=4`,
  `{{constructor.constructor('window.hit=5')()}}`,
];

/** Fails the test when the page breaks its own content security policy, or asks another host for something. */
function watch(page: Page, origin: string): { violations: string[] } {
  const seen = { violations: [] as string[] };
  page.on("console", (m: ConsoleMessage) => {
    if (/content security policy|refused to/i.test(m.text())) seen.violations.push(m.text());
  });
  page.on("request", (r) => {
    const url = new URL(r.url());
    if (!["data:", "blob:"].includes(url.protocol) && url.host !== new URL(origin).host)
      seen.violations.push(`asks ${r.url()}`);
  });
  return seen;
}

test("text that looks like a program stays text in every field and on every page", async ({
  person,
  baseURL,
}) => {
  test.setTimeout(120_000);
  const pat = await person();
  const seen = watch(pat.page, baseURL ?? "");
  for (const text of strings) {
    await pat.api("POST", "/tasks", {
      title: text,
      description: text,
      tags: [text.slice(0, 50)],
      due_date: new Date().toISOString().slice(0, 10),
    });
  }
  await pat.api("POST", "/chat", { message: strings[0] });
  for (const path of ["/all", "/today", "/calendar", "/activity", "/completed", "/settings", "/chat"]) {
    await pat.page.goto(path);
    await expect(pat.page.getByRole("heading", { level: 1 })).toBeVisible();
    if (path === "/all") {
      for (const text of strings) await expect(row(pat.page, text)).toBeVisible();
      await pat.page.getByRole("button", { name: strings[0], exact: true }).click();
      await expect(pat.page.getByRole("dialog").getByLabel("Description")).toHaveValue(strings[0] ?? "");
    }
    if (path === "/activity") await expect(pat.page.getByText(strings[1] ?? "").first()).toBeVisible();
  }
  expect(await pat.page.evaluate(() => (window as unknown as { hit?: number }).hit)).toBeUndefined();
  expect(seen.violations).toEqual([]);
});

test("every page has a strict policy, and its scripts a nonce of their own", async ({ person }) => {
  const pat = await person();
  const nonces = new Set<string>();
  for (const path of ["/sign-in", "/today", "/settings"]) {
    const answer = await pat.context.request.get(path);
    const headers = answer.headers();
    const policy = headers["content-security-policy"] ?? "";
    const scripts = /script-src ([^;]*)/.exec(policy)?.[1] ?? "";
    expect(scripts).toContain("'nonce-");
    expect(policy).not.toContain("unsafe-inline");
    expect(scripts).not.toContain("unsafe-eval");
    for (const rule of ["frame-ancestors 'none'", "object-src 'none'", "base-uri", "form-action 'self'"])
      expect(policy).toContain(rule);
    expect(headers["x-content-type-options"]).toBe("nosniff");
    expect(headers["referrer-policy"]).toBeTruthy();
    expect(headers["permissions-policy"]).toBeTruthy();
    expect(policy).toContain("report-uri /csp-reports");
    nonces.add(/'nonce-([^']+)'/.exec(scripts)?.[1] ?? "");
  }
  expect(nonces.size).toBe(3);
});

test("the browser tells of what a page's policy kept from happening", async ({ person }) => {
  const { page } = await person();
  await open(page, "/today");
  const told = page.waitForRequest((r) => r.url().endsWith("/csp-reports"));
  await page.evaluate(() => {
    const image = document.createElement("img");
    image.src = "https://evil.example/pixel.png";
    document.body.append(image);
  });
  const answer = await (await told).response();
  expect(answer?.status()).toBe(204);
});

test("another site's page changes nothing, although the browser would send the cookie", async ({
  person,
}) => {
  const pat = await person();
  for (const [method, path] of [
    ["POST", `/api/${pat.id}/tasks`],
    ["POST", `/api/${pat.id}/chat`],
    ["DELETE", `/api/${pat.id}`],
    ["POST", "/api/auth/sign-out"],
  ] as const) {
    const answer = await pat.context.request.fetch(path, {
      method,
      data: method === "POST" ? { title: "planted", message: "planted" } : undefined,
      headers: { Origin: "https://evil.example", "Sec-Fetch-Site": "cross-site" },
    });
    expect(answer.status(), `${method} ${path} from another site`).toBe(403);
  }
  const all = await pat.api("GET", "/tasks");
  expect(((await all.json()) as { items: unknown[] }).items).toEqual([]);
});
