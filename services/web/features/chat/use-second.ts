"use client";

import { useEffect, useState } from "react";

/** The present, again each second until an instant (in milliseconds since 1970) is reached. */
export function useSecond(until: number): Date {
  const [now, setNow] = useState(() => new Date());
  useEffect(() => {
    if (!(Date.now() < until)) return;
    const timer = setInterval(() => {
      const present = new Date();
      setNow(present);
      if (present.getTime() >= until) clearInterval(timer);
    }, 1000);
    return () => clearInterval(timer);
  }, [until]);
  return now;
}
