// @vitest-environment node
import { SignJWT, decodeJwt, decodeProtectedHeader } from "jose";
import { describe, expect, it } from "vitest";

import { isWorn, newClaims, sharedSecretTokens } from "./token";

const secret = "a secret of at least thirty-two bytes";
const names = { issuer: "https://tasks.example.org", audience: "taskflow" };
const tokens = sharedSecretTokens(secret, names);

const now = new Date("2026-11-23T09:00:00Z");
const week = 7 * 24 * 3600;
const later = (seconds: number) => new Date(now.getTime() + seconds * 1000);

describe("a token for the services", () => {
  it("is an HS256 JWT with sub, iat, exp, iss and aud", async () => {
    const iat = Math.floor(Date.now() / 1000);
    const token = await tokens.sign({ sub: "alice", iat, exp: iat + 60 });
    expect(decodeProtectedHeader(token)).toEqual({ alg: "HS256", typ: "JWT" });
    expect(decodeJwt(token)).toEqual({
      sub: "alice",
      iat,
      exp: iat + 60,
      iss: names.issuer,
      aud: names.audience,
    });
    expect(await tokens.read(token)).toEqual({ sub: "alice", iat, exp: iat + 60 });
  });

  it("has neither iss nor aud where none is configured", async () => {
    const token = await sharedSecretTokens(secret, {}).sign({ sub: "alice", iat: 1, exp: 2 });
    expect(decodeJwt(token)).toEqual({ sub: "alice", iat: 1, exp: 2 });
  });

  it.each([
    ["expired", () => tokens.sign({ sub: "alice", iat: 1, exp: 2 })],
    ["signed with another secret", () => sharedSecretTokens(secret + "x", names).sign(fresh())],
    ["of another issuer", () => sharedSecretTokens(secret, { ...names, issuer: "https://x" }).sign(fresh())],
    ["for another audience", () => sharedSecretTokens(secret, { ...names, audience: "x" }).sign(fresh())],
    ["without a subject", () => sign({ exp: fresh().exp, iat: 1 })],
    ["without an end", () => sign({ sub: "alice", iat: 1 })],
    ["an API token", async () => "tfk_abc"],
    ["nothing", async () => ""],
  ])("does not count if it is %s", async (_, make) => {
    expect(await tokens.read(await make())).toBeNull();
  });
});

function fresh() {
  const iat = Math.floor(Date.now() / 1000);
  return { sub: "alice", iat, exp: iat + 60 };
}

function sign(claims: Record<string, unknown>) {
  const jwt = new SignJWT(claims).setProtectedHeader({ alg: "HS256" });
  return jwt.setIssuer(names.issuer).setAudience(names.audience).sign(new TextEncoder().encode(secret));
}

describe("how long a token lasts", () => {
  it("is as configured", () => {
    expect(newClaims("alice", now, 900, later(week)).exp).toBe(now.getTime() / 1000 + 900);
  });
  it("is never longer than the session", () => {
    expect(newClaims("alice", now, week, later(3600)).exp).toBe(now.getTime() / 1000 + 3600);
  });
});

describe("a token is replaced", () => {
  const claims = newClaims("alice", now, week, later(week));
  it("not while more than half of its life is left", () => {
    expect(isWorn(claims, "alice", later(week / 2 - 1))).toBe(false);
  });
  it("when less than half of its life is left", () => {
    expect(isWorn(claims, "alice", later(week / 2 + 1))).toBe(true);
  });
  it("when it is another user's", () => {
    expect(isWorn(claims, "bob", now)).toBe(true);
  });
  it("when there is none", () => {
    expect(isWorn(null, "alice", now)).toBe(true);
  });
});
