"use client";

import { useSyncExternalStore } from "react";

/** A text of a task that is being typed, and what it was when typing began: what changes elsewhere meanwhile is neither. */
export type Draft = {
  /** The task's id. */
  id: string;
  text: string;
  begun: string;
};

/** The draft with another text. Of another task, or of none, it begins with the task's value as it is now. */
export function typed(draft: Draft | null, id: string, text: string, value: string): Draft {
  return { id, text, begun: draft?.id === id ? draft.begun : value };
}

/**
 * Whether a text has to be saved: not if the one who typed left it as it was, whatever it has become elsewhere, nor if it
 * has become the same elsewhere.
 */
export function isToSave(text: string, begun: string, value: string): boolean {
  return text !== begun && text !== value;
}

/** The draft that is left when one of its texts was saved: nothing, or what was typed since, which began with that. */
export function afterSaving(draft: Draft | null, sent: Draft, saved: string): Draft | null {
  if (draft === null || draft.id !== sent.id || draft.text === sent.text) return null;
  return { ...draft, begun: saved };
}

/** What was kept; null if it is none of ours. */
export function readDraft(stored: string | null): Draft | null {
  if (stored === null) return null;
  try {
    const value: unknown = JSON.parse(stored);
    if (typeof value !== "object" || value === null) return null;
    const { id, text, begun } = value as Record<string, unknown>;
    const whole = typeof id === "string" && typeof text === "string" && typeof begun === "string";
    return whole ? { id, text, begun } : null;
  } catch {
    return null;
  }
}

// What someone has typed and not saved outlives a reload of this tab, and nothing more. The drafts of this page, by key:
const drafts = new Map<string, Draft>();
const listeners = new Set<() => void>();
const prefix = "taskflow.draft.";

/** The draft under a key, if there is one. */
export function draftOf(key: string): Draft | null {
  const held = drafts.get(key);
  if (held) return held;
  try {
    const stored = readDraft(sessionStorage.getItem(prefix + key));
    if (stored) drafts.set(key, stored);
    return stored;
  } catch {
    return null; // storage is forbidden: nothing was kept
  }
}

export function setDraft(key: string, draft: Draft | null): void {
  if (draft) drafts.set(key, draft);
  else drafts.delete(key);
  try {
    if (draft) sessionStorage.setItem(prefix + key, JSON.stringify(draft));
    else sessionStorage.removeItem(prefix + key);
  } catch {
    // Full or forbidden: then a reload loses it, as it would without us.
  }
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** The text that is being typed under a key; null while nothing is. */
export function useDraft(key: string): Draft | null {
  return useSyncExternalStore(
    subscribe,
    () => draftOf(key),
    () => null,
  );
}
