"use client";

import { useSyncExternalStore } from "react";

type Week = { firstDay: number };
type WithWeek = Intl.Locale & { getWeekInfo?: () => Week; weekInfo?: Week };

function begins(): number {
  try {
    const locale = new Intl.Locale(navigator.language) as WithWeek;
    // Not every browser has it, and some have it by its older name.
    const first = (locale.getWeekInfo?.() ?? locale.weekInfo)?.firstDay;
    return first ? (first + 6) % 7 : 0;
  } catch {
    return 0;
  }
}

const never = () => () => undefined;

/** The weekday that weeks begin on where this browser is, 0 for Monday; Monday where that is not known. */
export function useWeekBegin(): number {
  return useSyncExternalStore(never, begins, () => 0);
}
