import { defineConfig, devices } from "@playwright/test";

// The tests use a running suite with the page, at ORIGIN. `make test PKG=./services/e2e RUN=Page` starts one and runs them; to
// run some of them on a suite of `make up`: npx playwright test --project=people.
const ci = Boolean(process.env["CI"]);

export default defineConfig({
  testDir: "./e2e",
  timeout: 60_000,
  expect: { timeout: 10_000 },
  forbidOnly: ci,
  retries: 0,
  fullyParallel: true,
  reporter: [["list"]],
  use: {
    ...devices["Desktop Chrome"],
    baseURL: process.env["ORIGIN"] ?? "http://localhost:8080",
    viewport: { width: 1440, height: 900 },
    timezoneId: "Europe/Oslo",
    locale: "en-GB",
    actionTimeout: 15_000,
    navigationTimeout: 30_000,
    trace: "retain-on-failure",
    screenshot: "only-on-failure",
    launchOptions: {
      // Where Playwright's own browser is installed, none is named.
      executablePath: process.env["CHROMIUM_PATH"] || undefined,
      args: ["--no-sandbox"],
    },
  },
  projects: [
    { name: "people", testMatch: "people/**/*.spec.ts" },
    { name: "failures", testMatch: "failures/**/*.spec.ts" },
    // What records a test slows it down.
    { name: "speed", testMatch: "speed/**/*.spec.ts", use: { trace: "off", screenshot: "off" } },
  ],
});
