import { ApiError } from "@/lib/api/problem";

/** What the user waits for at most before a change is taken back, besides what the server itself takes. */
const pauses = [400, 1500];
const mostPause = 3000;

/**
 * Tries a change that may be sent twice without harm again where the failure may pass: a restarting service then costs a
 * moment and not the change. Where the browser is offline nothing is tried again, since the user should hear of it at once.
 */
export async function persist<T>(
  send: () => Promise<T>,
  wait: (milliseconds: number) => Promise<void> = pause,
  online: () => boolean = () => navigator.onLine,
): Promise<T> {
  for (let failures = 0; ; failures++) {
    try {
      return await send();
    } catch (error) {
      const next = pauses[failures];
      if (!(error instanceof ApiError) || !error.passing || next === undefined || !online()) throw error;
      const asked = (error.retryAfter ?? 0) * 1000;
      if (asked > mostPause) throw error;
      await wait(Math.max(next, asked));
    }
  }
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
