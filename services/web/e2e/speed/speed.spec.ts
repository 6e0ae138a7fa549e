import { gzipSync } from "node:zlib";

import { expect, row, test } from "../suite";

test("the first load is under 250 KB of JavaScript and paints its largest part within 1.5 s", async ({
  person,
}, info) => {
  const pat = await person();
  for (let i = 0; i < 20; i++)
    await pat.api("POST", "/tasks", { title: `Task ${i}`, due_date: new Date().toISOString().slice(0, 10) });
  const figures: Record<string, string> = {};
  for (const path of ["/sign-in", "/today", "/all"]) {
    if (path === "/sign-in") await pat.context.clearCookies();
    else if (path === "/today") await signIn();
    const page = await pat.context.newPage();
    const scripts = new Map<string, number>();
    page.on("response", async (r) => {
      if (r.request().resourceType() === "script")
        scripts.set(r.url(), gzipSync(await r.body().catch(() => Buffer.alloc(0))).byteLength);
    });
    await page.goto(path, { waitUntil: "load" });
    if (path !== "/sign-in") await expect(row(page, "Task 0").first()).toBeVisible();
    const largest = await page.evaluate(
      () =>
        new Promise<number>((resolve) => {
          new PerformanceObserver((list) => resolve(list.getEntries().at(-1)?.startTime ?? 0)).observe({
            type: "largest-contentful-paint",
            buffered: true,
          });
        }),
    );
    const sum = [...scripts.values()].reduce((a, b) => a + b, 0);
    figures[path] =
      `${(sum / 1000).toFixed(0)} KB of scripts (gzip), largest paint after ${largest.toFixed(0)} ms`;
    expect(sum, `bytes of scripts of ${path}, gzip`).toBeLessThan(250_000);
    expect(largest, `milliseconds until the largest paint of ${path}`).toBeLessThan(1_500);
    await page.close();
  }
  for (const [path, said] of Object.entries(figures)) console.log(`  ${path}: ${said}`);
  info.annotations.push({ type: "figures", description: JSON.stringify(figures) });

  async function signIn() {
    const answer = await pat.context.request.post("/api/auth/sign-in/email", {
      data: { email: pat.email, password: pat.password },
    });
    expect(answer.ok()).toBe(true);
  }
});

test("a thousand tasks scroll smoothly", async ({ person }) => {
  test.setTimeout(180_000);
  const pat = await person();
  for (let chunk = 0; chunk < 10; chunk++) {
    const operations = Array.from({ length: 100 }, (_, i) => ({
      op: "create",
      task: { title: `Task number ${chunk * 100 + i}` },
    }));
    await pat.api("POST", "/tasks/batch", { operations });
  }
  await pat.page.goto("/all");
  await expect(row(pat.page, "Task number").first()).toBeVisible();
  const list = pat.page.getByRole("list", { name: "Tasks" });
  await expect(list.getByRole("listitem").first()).toHaveAttribute("aria-setsize", "1000", {
    timeout: 20_000,
  });
  expect(await list.getByRole("listitem").count(), "rows in the document").toBeLessThan(200);
  // Frames while the wheel turns, as the browser counts them.
  await list.hover();
  const frames = pat.page.evaluate(
    () =>
      new Promise<number[]>((resolve) => {
        const gaps: number[] = [];
        let last = performance.now();
        const tick = (now: number) => {
          gaps.push(now - last);
          last = now;
          if (gaps.length < 120) requestAnimationFrame(tick);
          else resolve(gaps);
        };
        requestAnimationFrame(tick);
      }),
  );
  for (let i = 0; i < 40; i++) await pat.page.mouse.wheel(0, 400);
  const gaps = (await frames).sort((a, b) => a - b);
  const p95 = gaps[Math.floor(gaps.length * 0.95)] ?? Infinity;
  console.log(
    `  frames while scrolling: p50 ${gaps[60]?.toFixed(1)} ms, p95 ${p95.toFixed(1)} ms, longest ${gaps.at(-1)?.toFixed(0)} ms`,
  );
  expect(p95, "milliseconds between frames, p95").toBeLessThan(100);
  await expect(row(pat.page, "Task number").first()).toBeVisible();
});
