import { gzipSync } from "node:zlib";

import { expect, row, test } from "../suite";

// Tests fail for what is wrong on any machine; what depends on who else uses this one is reported, and must only be good
// once in a few tries.
const tries = 3;

test("the first load is under 250 KB of JavaScript and paints its largest part within 1.5 s", async ({
  person,
}) => {
  test.setTimeout(120_000);
  const pat = await person();
  const due_date = new Date().toISOString().slice(0, 10);
  const operations = Array.from({ length: 20 }, (_, i) => ({
    op: "create",
    task: { title: `Task ${i}`, due_date },
  }));
  await pat.api("POST", "/tasks/batch", { operations });
  for (const path of ["/today", "/all", "/sign-in"]) {
    if (path === "/sign-in") await pat.context.clearCookies();
    const paints: number[] = [];
    let bytes = 0;
    for (let i = 0; i < tries; i++) {
      const page = await pat.context.newPage();
      const scripts = new Map<string, Promise<number>>();
      page.on("response", (r) => {
        if (r.request().resourceType() === "script")
          scripts.set(
            r.url(),
            r.body().then((body) => gzipSync(body).byteLength),
          );
      });
      await page.goto(path, { waitUntil: "load" });
      if (path === "/sign-in") await expect(page.getByRole("button", { name: "Sign in" })).toBeVisible();
      else await expect(row(page, "Task 1").first()).toBeVisible();
      // What is loaded because of what is seen counts too.
      await page.waitForLoadState("networkidle");
      paints.push(await page.evaluate(largestPaint));
      bytes = (await Promise.all(scripts.values())).reduce((a, b) => a + b, 0);
      await page.close();
    }
    const best = Math.min(...paints);
    console.log(
      `  ${path}: ${(bytes / 1000).toFixed(0)} KB of scripts (gzip), largest paint after ${paints.map((p) => p.toFixed(0)).join(", ")} ms`,
    );
    expect(bytes, `bytes of scripts of ${path}, gzip`).toBeLessThan(250_000);
    expect(best, `milliseconds until the largest paint of ${path}`).toBeLessThan(1_500);
  }
});

function largestPaint(): Promise<number> {
  return new Promise((resolve) => {
    new PerformanceObserver((list) => resolve(list.getEntries().at(-1)?.startTime ?? Infinity)).observe({
      type: "largest-contentful-paint",
      buffered: true,
    });
  });
}

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
  // Time between frames while the wheel turns, as the browser counts it.
  const medians: number[] = [];
  for (let i = 0; i < tries; i++) {
    await list.hover();
    const frames = pat.page.evaluate(gaps, 90);
    for (let turn = 0; turn < 30; turn++) await pat.page.mouse.wheel(0, i % 2 ? -400 : 400);
    const sorted = (await frames).sort((a, b) => a - b);
    const at = (share: number) => sorted[Math.floor((sorted.length - 1) * share)] ?? Infinity;
    console.log(
      `  frames: p50 ${at(0.5).toFixed(1)} ms, p95 ${at(0.95).toFixed(1)} ms, longest ${at(1).toFixed(0)} ms`,
    );
    medians.push(at(0.5));
    await expect
      .poll(() => pat.page.evaluate(rowInTheMiddle), { message: "a row in the middle of the window" })
      .toBe(true);
  }
  expect(Math.min(...medians), "milliseconds between frames, median").toBeLessThan(34);
});

function gaps(count: number): Promise<number[]> {
  return new Promise((resolve) => {
    const all: number[] = [];
    let last = performance.now();
    const tick = (now: number) => {
      all.push(now - last);
      last = now;
      if (all.length < count) requestAnimationFrame(tick);
      else resolve(all);
    };
    requestAnimationFrame(tick);
  });
}

function rowInTheMiddle(): boolean {
  return Boolean(document.elementFromPoint(innerWidth / 2, innerHeight / 2)?.closest("[data-task-id]"));
}
