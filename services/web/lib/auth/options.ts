import type { BetterAuthOptions } from "better-auth";
import { jwt } from "better-auth/plugins";

import type { Config } from "@/lib/config";
import { cause, log } from "@/lib/log";

import { base } from "./base.mjs";
import { database } from "./database";
import { keyOptions, servicesToken } from "./token-plugin";

const day = 24 * 3600;

/** How Better Auth is set up. */
export function options({ publicURL, secure, authSecret, token, ...config }: Config) {
  const common = base(database());
  const { windowSeconds: window, max, signInMax } = config.rateLimit;
  const withPassword = { window, max: signInMax };
  return {
    ...common,
    baseURL: publicURL,
    secret: authSecret,
    trustedOrigins: [publicURL, ...config.trustedOrigins],
    session: { expiresIn: 7 * day, updateAge: day },
    user: { deleteUser: { enabled: true } },
    advanced: {
      ...common.advanced,
      cookiePrefix: "taskflow",
      useSecureCookies: secure,
      // The origin overwrites it; a list from the client would get around the limits.
      ipAddress: { ipAddressHeaders: ["x-forwarded-for"], trustedProxies: config.trustedProxies },
    },
    rateLimit: {
      ...common.rateLimit,
      enabled: true,
      window,
      max,
      customRules: {
        "/sign-in/*": withPassword,
        "/sign-up/*": withPassword,
        "/check-password": withPassword,
        "/change-password": withPassword,
        "/delete-user": withPassword,
      },
    },
    // It would hand the token to scripts.
    disabledPaths: ["/token"],
    plugins: [...(token.secret ? [] : [jwt(keyOptions(token))]), servicesToken({ ...token, secure })],
    logger: {
      level: "warn",
      log(level, message, ...about) {
        const err = about.find((a) => a instanceof Error);
        log(level, "Better Auth: " + message, err ? { error: cause(err) } : {});
      },
    },
    onAPIError: {
      onError(err) {
        if (!isExpected(err)) log("error", "a request to /api/auth failed", { error: cause(err) });
      },
    },
  } satisfies BetterAuthOptions;
}

/** What is the client's mistake is answered and not logged. */
function isExpected(err: unknown): boolean {
  const status = err instanceof Error && "statusCode" in err ? err.statusCode : undefined;
  return typeof status === "number" && status < 500;
}
