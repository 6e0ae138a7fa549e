/**
 * Goes to a page as a new document, so that nothing of who was signed in is left in memory, and the server looks again who
 * is.
 */
export function leaveFor(path: string): void {
  location.assign(path);
}

const lock = "taskflow-session-needed";
const patience = 20_000;

/** Does what needs the session to its end: nobody who waits for `sessionFree` in any window of this browser ends it before. */
export async function needingSession<T>(work: () => Promise<T>): Promise<T> {
  return hasLocks() ? await navigator.locks.request(lock, work) : await work();
}

/** Waits, for 20 s at most, until no window of this browser does anything that needs the session to its end. */
export async function sessionFree(): Promise<void> {
  if (!hasLocks()) return;
  const signal = AbortSignal.timeout(patience);
  await navigator.locks.request(lock, { mode: "shared", signal }, () => undefined).catch(() => undefined);
}

/** Browsers have locks on https and localhost. */
function hasLocks(): boolean {
  return "locks" in navigator;
}
