"use client";

import { useEffect } from "react";

import { renewed } from "@/lib/api/renew";

const hour = 3600_000;

/**
 * Keeps the session of an open page: asking for it, at most hourly and when the page is looked at, prolongs it and renews
 * the token before it ends. If it is over, that leads to sign-in.
 */
export function SessionKeeper() {
  useEffect(() => {
    let last = 0;
    const ask = () => {
      if (document.visibilityState !== "visible" || Date.now() - last < hour) return;
      last = Date.now();
      void renewed();
    };
    ask();
    const every = setInterval(ask, hour);
    document.addEventListener("visibilitychange", ask);
    return () => {
      clearInterval(every);
      document.removeEventListener("visibilitychange", ask);
    };
  }, []);
  return null;
}
