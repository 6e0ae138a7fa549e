"use client";

import { useSyncExternalStore } from "react";

// One clock for the page. Midnight of any zone is a full minute, so a tick on each full minute brings the new day at once.
let now = new Date();
let timer: ReturnType<typeof setTimeout> | undefined;
const listeners = new Set<() => void>();

function tick() {
  now = new Date();
  for (const listener of listeners) listener();
  plan();
}

function plan() {
  clearTimeout(timer);
  // Timers may be a little early: 20 ms later the minute is there.
  timer = setTimeout(tick, 60_000 - (Date.now() % 60_000) + 20);
}

// A laptop that slept has no ticks.
function wake() {
  if (document.visibilityState === "visible") tick();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  if (listeners.size === 1) {
    now = new Date();
    plan();
    document.addEventListener("visibilitychange", wake);
  }
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0) return;
    clearTimeout(timer);
    document.removeEventListener("visibilitychange", wake);
  };
}

const shown = () => now;

/** The present to the minute: another Date each full minute, and when the page is seen again. */
export function useNow(): Date {
  return useSyncExternalStore(subscribe, shown, shown);
}
