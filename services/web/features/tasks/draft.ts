"use client";

import { useCallback, useState } from "react";

// What someone has typed and not saved outlives a reload of this tab, and nothing more.
const prefix = "taskflow.draft.";

function read(key: string): string | null {
  try {
    return sessionStorage.getItem(prefix + key);
  } catch {
    return null; // no window, or storage is forbidden: nothing was kept
  }
}

function write(key: string, text: string | null): void {
  try {
    if (text === null) sessionStorage.removeItem(prefix + key);
    else sessionStorage.setItem(prefix + key, text);
  } catch {
    // Full or forbidden: then a reload loses it, as it would without us.
  }
}

/** Text that is being typed, under a key; null while nothing is. Kept over a reload. */
export function useDraft(key: string): [string | null, (text: string | null) => void] {
  const [state, setState] = useState(() => ({ key, text: read(key) }));
  const current = state.key === key ? state : { key, text: read(key) };
  if (current !== state) setState(current);
  const set = useCallback(
    (text: string | null) => {
      write(key, text);
      setState({ key, text });
    },
    [key],
  );
  return [current.text, set];
}
