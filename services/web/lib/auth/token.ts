import { SignJWT, jwtVerify } from "jose";

/** The cookie in which the services of TaskFlow look for a token (pkg/auth). */
export const tokenCookie = "taskflow_token";

/** Times are in seconds since 1970, as in the token. */
export type Claims = { sub: string; iat: number; exp: number };

/** Makes and reads the tokens that the Go services verify. */
export type Tokens = {
  sign(claims: Claims): Promise<string>;
  /** What a token says, if the services would take it; null otherwise. */
  read(token: string): Promise<Claims | null>;
};

type Names = { issuer?: string; audience?: string };

/** Tokens signed with HS256 and the secret that the services share. */
export function sharedSecretTokens(secret: string, names: Names): Tokens {
  const key = new TextEncoder().encode(secret);
  return {
    sign({ sub, iat, exp }) {
      const jwt = new SignJWT().setProtectedHeader({ alg: "HS256", typ: "JWT" });
      jwt.setSubject(sub).setIssuedAt(iat).setExpirationTime(exp);
      if (names.issuer) jwt.setIssuer(names.issuer);
      if (names.audience) jwt.setAudience(names.audience);
      return jwt.sign(key);
    },
    async read(token) {
      try {
        const { payload } = await jwtVerify(token, key, { algorithms: ["HS256"], ...names });
        return claimsOf(payload);
      } catch {
        return null;
      }
    },
  };
}

/** The claims of a payload; null if one is missing. */
export function claimsOf(payload: { sub?: unknown; iat?: unknown; exp?: unknown } | null): Claims | null {
  const { sub, iat, exp } = payload ?? {};
  return typeof sub === "string" && typeof iat === "number" && typeof exp === "number"
    ? { sub, iat, exp }
    : null;
}

/**
 * What a new token says: it lasts ttl seconds, but no longer than the session, so that ending a session ends what came
 * of it.
 */
export function newClaims(sub: string, now: Date, ttl: number, sessionEnds: Date): Claims {
  const iat = Math.floor(now.getTime() / 1000);
  return { sub, iat, exp: Math.min(iat + ttl, Math.floor(sessionEnds.getTime() / 1000)) };
}

/** Whether a user needs another token than this: none, another user's, or past half of its life. */
export function isWorn(claims: Claims | null, sub: string, now: Date): boolean {
  if (!claims || claims.sub !== sub) return true;
  return claims.exp - now.getTime() / 1000 < (claims.exp - claims.iat) / 2;
}
