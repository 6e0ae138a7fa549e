"use client";

import { useSearchParams } from "next/navigation";
import { useCallback } from "react";

const name = "task";

/** Where a task is shown: its sheet over the list of all. */
export function taskHref(id: string): string {
  return `/all?${name}=${encodeURIComponent(id)}`;
}

/** The task the address opens, if any. */
export function useOpenedTask(): string | null {
  return useSearchParams().get(name);
}

/** Opens a task's sheet over this page, or closes it (null). The way back closes what was opened. */
export function useOpenTask(): (id: string | null) => void {
  return useCallback((id) => {
    const params = new URLSearchParams(location.search);
    const opened = params.has(name);
    if (id === null) params.delete(name);
    else params.set(name, id);
    const query = params.toString();
    const address = query ? `?${query}` : location.pathname;
    // From one task to another, and away from it, is no step of its own.
    if (opened) history.replaceState(null, "", address);
    else if (id !== null) history.pushState(null, "", address);
  }, []);
}
