"use client";

import { useSyncExternalStore } from "react";

const key = "taskflow.chat";
const listeners = new Set<() => void>();

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Whether the chat is open on this device, and what opens and closes it. Kept until it is changed. */
export function useChatPanel(): [boolean, (open: boolean) => void] {
  const open = useSyncExternalStore(
    subscribe,
    () => localStorage.getItem(key) === "open",
    () => false,
  );
  return [
    open,
    (next) => {
      if (next) localStorage.setItem(key, "open");
      else localStorage.removeItem(key);
      for (const listener of listeners) listener();
    },
  ];
}
