import { signInPath } from "@/lib/auth/next-path";

/** Milliseconds. */
const deadline = 20_000;

let asking: Promise<boolean> | undefined;

/**
 * Asks for a new token in exchange for the session; several askers share one request. False if the session is over too:
 * then the page is on its way to sign-in, and comes back to where it was.
 */
export function renewed(): Promise<boolean> {
  asking ??= renew().finally(() => {
    asking = undefined;
  });
  return asking;
}

async function renew(): Promise<boolean> {
  let session: unknown;
  try {
    const signal = AbortSignal.timeout(deadline);
    const response = await fetch("/api/auth/get-session", {
      credentials: "same-origin",
      cache: "no-store",
      signal,
    });
    if (!response.ok) return false;
    session = await response.json();
  } catch {
    return false; // offline: the caller's own error says so
  }
  if (session !== null) return true;
  location.assign(signInPath(location.pathname + location.search));
  return false;
}
