// @vitest-environment node
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";

import { describe, expect, it } from "vitest";

import { readConfig, settingsTable } from "./config";

const good = {
  PUBLIC_URL: "https://tasks.example.org",
  DATABASE_URL: "postgres://u:hunter2@db/taskflow",
  BETTER_AUTH_SECRET: "a".repeat(32),
  JWT_SECRET: "b".repeat(32),
};

function complaint(env: Record<string, string | undefined>): string {
  try {
    readConfig(env);
  } catch (err) {
    return (err as Error).message;
  }
  return "";
}

describe("the configuration", () => {
  it("has defaults for all that need not be set", () => {
    const { publicURL, secure, token, rateLimit, trustedOrigins } = readConfig(good);
    expect({ publicURL, secure, token, rateLimit, trustedOrigins }).toEqual({
      publicURL: "https://tasks.example.org",
      secure: true,
      token: { secret: "b".repeat(32), issuer: undefined, audience: undefined, ttlSeconds: 604_800 },
      rateLimit: { windowSeconds: 10, max: 100, signInMax: 3 },
      trustedOrigins: [],
    });
  });

  it("issues tokens with public keys when there is no shared secret", () => {
    expect(readConfig({ ...good, JWT_SECRET: "" }).token.secret).toBeUndefined();
  });

  it("reports all mistakes together", () => {
    const all = complaint({ AUTH_TOKEN_TTL: "8d", AUTH_RATE_LIMIT_MAX: "many" });
    for (const name of [
      "PUBLIC_URL",
      "DATABASE_URL",
      "BETTER_AUTH_SECRET",
      "AUTH_TOKEN_TTL",
      "AUTH_RATE_LIMIT_MAX",
    ]) {
      expect(all).toContain(name);
    }
  });

  it.each([
    ["a public URL with a path", { PUBLIC_URL: "https://x.example/app" }, "PUBLIC_URL must be an origin"],
    ["a public URL of another scheme", { PUBLIC_URL: "javascript:1" }, "PUBLIC_URL must be an origin"],
    [
      "a pooler that is neither there nor not",
      { DATABASE_POOLER: "1" },
      "DATABASE_POOLER must be true or false",
    ],
    ["a database of another kind", { DATABASE_URL: "mysql://u:hunter2@x/y" }, "DATABASE_URL must begin"],
    ["a short session secret", { BETTER_AUTH_SECRET: "hunter2" }, "has 7 bytes: expected at least 32"],
    ["a short token secret", { JWT_SECRET: "hunter2" }, "has 7 bytes: expected at least 32"],
    ["one secret for two purposes", { JWT_SECRET: good.BETTER_AUTH_SECRET }, "JWT_SECRET must not be"],
    ["tokens of more than seven days", { AUTH_TOKEN_TTL: "169h" }, "AUTH_TOKEN_TTL must be"],
    ["tokens of no time", { AUTH_TOKEN_TTL: "0s" }, "AUTH_TOKEN_TTL must be"],
    ["a time without a unit", { AUTH_TOKEN_TTL: "3600" }, "AUTH_TOKEN_TTL must be"],
    ["half a connection", { DATABASE_MAX_CONNS: "0.5" }, "DATABASE_MAX_CONNS must be"],
    ["an origin that is none", { AUTH_TRUSTED_ORIGINS: "example.org" }, "AUTH_TRUSTED_ORIGINS has"],
    ["a proxy that is none", { AUTH_TRUSTED_PROXIES: "10.0.0.0/8,lb" }, "AUTH_TRUSTED_PROXIES has"],
  ])("refuses %s, without printing a secret", (_, change, want) => {
    const said = complaint({ ...good, ...change });
    expect(said).toContain(want);
    expect(said).not.toContain("hunter2");
    expect(said).not.toContain("aaaa");
  });

  it("takes wildcards in trusted origins", () => {
    expect(
      readConfig({ ...good, AUTH_TRUSTED_ORIGINS: "https://*.example.org, http://localhost:3000" })
        .trustedOrigins,
    ).toEqual(["https://*.example.org", "http://localhost:3000"]);
  });

  it("stands in the README (UPDATE=1 writes it there)", () => {
    const file = path.resolve(import.meta.dirname, "../README.md");
    const marks = /(<!-- settings -->\n\n)[^]*(\n\n<!-- \/settings -->)/;
    const now = readFileSync(file, "utf8");
    const want = now.replace(marks, (_, open: string, close: string) => open + settingsTable() + close);
    if (process.env["UPDATE"]) writeFileSync(file, want);
    expect(readFileSync(file, "utf8")).toBe(want);
    expect(want).toMatch(marks);
  });
});
