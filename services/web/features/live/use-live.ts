"use client";

import { createContext, useCallback, useContext, useSyncExternalStore } from "react";

import { useTaskSession } from "@/features/tasks/data/session";

import type { LiveState, LiveStatus } from "./live";

export type { LiveState };

type LiveNow = LiveStatus & { /** Finds out at once whether the connection stands. */ wake: () => void };

export const LiveContext = createContext<LiveNow>({
  state: "connecting",
  reconnecting: false,
  wake: () => undefined,
});

/** How the page hears of changes now; `reconnecting` says that it was live before. */
export function useLive(): LiveNow {
  return useContext(LiveContext);
}

/** True for a moment after the task was changed elsewhere. */
export function useArrived(taskId: string): boolean {
  const { arrivals } = useTaskSession();
  const has = useCallback(() => arrivals.has(taskId), [arrivals, taskId]);
  return useSyncExternalStore(arrivals.watch, has, () => false);
}
