import { getSessionCookie } from "better-auth/cookies";
import { type NextRequest, NextResponse } from "next/server";

import { signInPath } from "@/lib/auth/next-path";
import { dataPolicy, pagePolicy, strictTransport } from "@/lib/security";

// Runs before every page. It says what the page may do, tells the layout where the request goes (x-taskflow-path), and sends
// who has no session cookie to sign in. That is a guess which saves work; whether the session counts, the layout asks.

const doors = /^\/(api|healthz|readyz|csp-reports)(\/|$)/;
const open = /^\/(sign-in|sign-up)(\/|$)/;

export function proxy(request: NextRequest): NextResponse {
  const secure = process.env["PUBLIC_URL"]?.startsWith("https://") ?? false;
  const { pathname, search } = request.nextUrl;
  if (doors.test(pathname)) return answer(NextResponse.next(), dataPolicy, secure);

  if (!open.test(pathname) && !getSessionCookie(request, { cookiePrefix: "taskflow" })) {
    // Next.js sends it without the host, for only the browser knows by which name it came here.
    const to = new URL(signInPath(pathname + search), request.url);
    return answer(NextResponse.redirect(to), dataPolicy, secure);
  }

  const nonce = btoa(crypto.randomUUID());
  const policy = pagePolicy({
    nonce,
    host: request.headers.get("x-forwarded-host") ?? request.headers.get("host") ?? "",
    secure,
    development: process.env.NODE_ENV === "development",
    chatKit: Boolean(process.env.NEXT_PUBLIC_CHATKIT_DOMAIN_KEY),
  });
  const headers = new Headers(request.headers);
  headers.set("x-taskflow-path", pathname + search);
  headers.set("Content-Security-Policy", policy); // Next.js takes the nonce for its scripts from here
  return answer(NextResponse.next({ request: { headers } }), policy, secure);
}

function answer(response: NextResponse, policy: string, secure: boolean): NextResponse {
  response.headers.set("Content-Security-Policy", policy);
  if (secure) response.headers.set("Strict-Transport-Security", strictTransport);
  return response;
}

// Not for files, which have a dot in their names.
export const config = { matcher: ["/((?!_next/|.*\\.).*)"] };
