import type { BetterAuthPlugin } from "better-auth";
import {
  APIError,
  createAuthEndpoint,
  createAuthMiddleware,
  sensitiveSessionMiddleware,
} from "better-auth/api";
import { signJWT, verifyJWT } from "better-auth/plugins/jwt";
import type { jwt } from "better-auth/plugins";

import { database } from "./database";
import { keepFirst } from "./first-key";
import {
  type Claims,
  type Tokens,
  claimsOf,
  isWorn,
  newClaims,
  sharedSecretTokens,
  tokenCookie,
} from "./token";

type Options = {
  /** Undefined: EdDSA, with the keys of Better Auth's plugin for JWT. */
  secret?: string;
  issuer?: string;
  audience?: string;
  ttlSeconds: number;
  /** Whether cookies go over https only. */
  secure: boolean;
};

/** How Better Auth's plugin for JWT is set up where there is no shared secret. */
export function keyOptions({ issuer, audience }: Pick<Options, "issuer" | "audience">) {
  return {
    jwt: { issuer, audience },
    adapter: { createJwk: (made) => keepFirst(database(), made) },
    disableSettingJwtHeader: true,
  } satisfies Parameters<typeof jwt>[0];
}

/**
 * Keeps the token of the Go services in an httpOnly cookie: set at sign-in and sign-up, renewed when the session is
 * asked for, gone with the session. No answer has it in its body, so no script can read it.
 */
export function servicesToken(options: Options) {
  const cookie = { httpOnly: true, sameSite: "lax", path: "/", secure: options.secure } as const;

  return {
    id: "services-token",
    hooks: {
      after: [
        {
          // Only what a browser asked for can set its cookies; the pages read the session too.
          matcher: (ctx) => ctx.request !== undefined,
          handler: createAuthMiddleware(async (ctx) => {
            const held = ctx.getCookie(tokenCookie);
            const now = new Date();
            const failed = ctx.context.returned instanceof APIError;
            const over =
              ctx.path === "/sign-out" ||
              (ctx.path === "/delete-user" && !failed) ||
              (ctx.path === "/get-session" && !failed && !ctx.context.session);
            if (over) {
              if (held) ctx.setCookie(tokenCookie, "", { ...cookie, maxAge: 0 });
              return;
            }
            const began = ctx.context.newSession;
            const session = began ?? (ctx.path === "/get-session" ? ctx.context.session : null);
            if (!session) return;
            const tokens = options.secret
              ? sharedSecretTokens(options.secret, options)
              : keyTokens(ctx, options);
            const { id } = session.user;
            if (ctx.path === "/get-session" && held && !isWorn(await tokens.read(held), id, now)) return;
            const claims = newClaims(id, now, options.ttlSeconds, new Date(session.session.expiresAt));
            // A session that ends with the browser has a token that does too.
            const forgetful =
              (ctx.body as { rememberMe?: boolean } | undefined)?.rememberMe === false ||
              (!began &&
                Boolean(
                  await ctx.getSignedCookie(
                    ctx.context.authCookies.dontRememberToken.name,
                    ctx.context.secret,
                  ),
                ));
            ctx.setCookie(tokenCookie, await tokens.sign(claims), {
              ...cookie,
              ...(forgetful ? {} : { maxAge: claims.exp - claims.iat }),
            });
          }),
        },
      ],
      before: [
        {
          // Better Auth asks for a password only if the session is a day old.
          matcher: (ctx) => ctx.path === "/delete-user",
          handler: createAuthMiddleware(async (ctx) => {
            const body = ctx.body as { password?: unknown } | undefined;
            if (typeof body?.password !== "string" || body.password === "") throw wrongPassword();
          }),
        },
      ],
    },
    endpoints: {
      /** Whether it is the password of who is signed in: 200, or 400 with the code INVALID_PASSWORD. */
      checkPassword: createAuthEndpoint(
        "/check-password",
        { method: "POST", use: [sensitiveSessionMiddleware] },
        async (ctx) => {
          const body = ctx.body as { password?: unknown } | undefined;
          const account = await ctx.context.internalAdapter.findCredentialAccount(
            ctx.context.session.user.id,
          );
          if (typeof body?.password !== "string" || !account?.password) throw wrongPassword();
          const right = await ctx.context.password.verify({
            hash: account.password,
            password: body.password,
          });
          if (!right) throw wrongPassword();
          return ctx.json({ status: true });
        },
      ),
    },
  } satisfies BetterAuthPlugin;
}

function wrongPassword() {
  return new APIError("BAD_REQUEST", { code: "INVALID_PASSWORD", message: "This is not your password." });
}

function keyTokens(ctx: Parameters<typeof signJWT>[0], options: Options): Tokens {
  const keys = keyOptions(options);
  return {
    sign: (claims: Claims) => signJWT(ctx, { options: keys, payload: claims }),
    async read(token) {
      return claimsOf(await verifyJWT(token, keys));
    },
  };
}
