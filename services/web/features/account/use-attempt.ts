"use client";

import { useEffect, useRef, useState } from "react";

import { type Failure, failureOf } from "./failure";

/**
 * Sends something to Better Auth once at a time, and says what came of it. After too many tries it counts down the seconds
 * until the next may be made.
 */
export function useAttempt() {
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<Failure | null>(null);
  const [wait, setWait] = useState(0);
  const under = useRef(false);

  useEffect(() => {
    if (wait <= 0) return;
    const timer = setTimeout(() => setWait(wait - 1), 1000);
    return () => clearTimeout(timer);
  }, [wait]);

  /** Whether it succeeded; then it stays busy, for the page goes elsewhere. False also if one is under way already. */
  async function attempt(send: () => Promise<unknown>): Promise<boolean> {
    if (under.current || wait > 0) return false;
    under.current = true;
    setBusy(true);
    setFailure(null);
    try {
      await send();
      return true;
    } catch (thrown) {
      const failed = failureOf(thrown);
      under.current = false;
      setBusy(false);
      setFailure(failed);
      setWait(failed.retryAfter ?? 0);
      return false;
    }
  }

  return { busy, failure, wait, attempt };
}
