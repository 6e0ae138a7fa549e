import { describe, expect, it } from "vitest";

import { pagePolicy } from "./security";

const usual = { nonce: "n0nce", host: "tasks.example.org", secure: true, development: false, chatKit: false };

function directives(policy: string): Record<string, string[]> {
  return Object.fromEntries(
    policy.split("; ").map((d) => {
      const [name = "", ...sources] = d.split(" ");
      return [name, sources];
    }),
  );
}

describe("the policy of a page", () => {
  it("allows nothing inline and no other host", () => {
    const policy = pagePolicy(usual);
    expect(policy).not.toContain("unsafe");
    expect(policy.replaceAll("wss://tasks.example.org", "")).not.toMatch(/https?:|wss?:|\*/);
    expect(directives(policy)).toMatchObject({
      "script-src": ["'self'", "'nonce-n0nce'", "'strict-dynamic'"],
      "style-src": ["'self'", "'nonce-n0nce'"],
      "connect-src": ["'self'", "wss://tasks.example.org"],
      "object-src": ["'none'"],
      "base-uri": ["'none'"],
      "frame-ancestors": ["'none'"],
      "form-action": ["'self'"],
    });
  });

  it("names the socket of the host in the address bar, and http's over http", () => {
    expect(pagePolicy({ ...usual, secure: false, host: "localhost:8080" })).toContain("ws://localhost:8080");
    expect(pagePolicy({ ...usual, host: "[::1]:8080" })).toContain("wss://[::1]:8080");
  });

  it.each(["x; script-src *", "x *", "x,y", "", "x/y", "x:y"])("takes no policy from the host %j", (host) => {
    expect(directives(pagePolicy({ ...usual, host }))["connect-src"]).toEqual(["'self'"]);
    expect(directives(pagePolicy({ ...usual, host }))["script-src"]).not.toContain("*");
  });

  it("lets ChatKit in only where it is offered, as script and frame", () => {
    expect(pagePolicy(usual)).not.toContain("openai");
    const all = directives(pagePolicy({ ...usual, chatKit: true }));
    const having = Object.keys(all).filter((d) => all[d]?.some((s) => s.includes("openai")));
    expect(having).toEqual(["script-src", "frame-src"]);
  });

  it("is relaxed in development only", () => {
    expect(directives(pagePolicy({ ...usual, development: true }))["style-src"]).toEqual([
      "'self'",
      "'unsafe-inline'",
    ]);
  });
});
