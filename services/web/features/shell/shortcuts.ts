"use client";

import { useEffect, useEffectEvent, useSyncExternalStore } from "react";

import { isCharacter, resolve, strokeName } from "./keys";

export type ShortcutGroup = "Anywhere" | "Go to" | "In a list";

export type Shortcut = {
  keys: string;
  label: string;
  group: ShortcutGroup;
};

type Entry = Shortcut & { run: (event: KeyboardEvent) => void };

// One registry for the page: the dialog lists what can be pressed now, and nothing else.
let entries: readonly Entry[] = [];
const listeners = new Set<() => void>();

function change(next: readonly Entry[]) {
  entries = next;
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/**
 * Runs the handler when the keys are pressed: "c", "?", "Escape", "mod+k" (Ctrl or Cmd), "g t" (one after the other). Not
 * while someone types, nor while a dialog or a menu is open. Shortcuts that share their keys: the one mounted last counts.
 * The browser's own use of the keys is prevented.
 */
export function useShortcut(
  keys: string,
  label: string,
  handler: (event: KeyboardEvent) => void,
  group: ShortcutGroup = "Anywhere",
): void {
  const run = useEffectEvent(handler);
  useEffect(() => {
    const entry: Entry = { keys, label, group, run: (event) => run(event) };
    change([...entries, entry]);
    return () => change(entries.filter((e) => e !== entry));
  }, [keys, label, group]);
}

const none: readonly Entry[] = [];

/** What can be pressed now. */
export function useShortcuts(): readonly Shortcut[] {
  return useSyncExternalStore(
    subscribe,
    () => entries,
    () => none,
  );
}

const setting = "taskflow.shortcuts";

/** Whether shortcuts of plain characters are on; the others always are. */
export function charactersOn(): boolean {
  return localStorage.getItem(setting) !== "off";
}

/** Whether they are on, and what turns them on and off on this device. */
export function useCharacters(): [boolean, (on: boolean) => void] {
  const on = useSyncExternalStore(subscribe, charactersOn, () => true);
  return [
    on,
    (next) => {
      if (next) localStorage.removeItem(setting);
      else localStorage.setItem(setting, "off");
      change([...entries]);
    },
  ];
}

/** A second key counts as one with the first for this long, in milliseconds. */
const patience = 1200;

/** Hears the keys of the page. Mounted once. */
export function useShortcutKeys(): void {
  useEffect(() => {
    let before: { stroke: string; at: number } | null = null;
    const hear = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.isComposing || busy(event)) return;
      // Holding j or k walks through the list; nothing else happens twice.
      if (event.repeat && !/^[jk]$/i.test(event.key)) return;
      const stroke = strokeName(event);
      if (stroke === null) return;
      const on = charactersOn();
      const known = new Set(entries.map((e) => e.keys).filter((keys) => on || !isCharacter(keys)));
      const recent = before !== null && event.timeStamp - before.at < patience ? before.stroke : null;
      const { hit, pending } = resolve(known, recent, stroke);
      before = pending === null ? null : { stroke: pending, at: event.timeStamp };
      const entry = hit === null ? undefined : entries.findLast((e) => e.keys === hit);
      if (!entry) return;
      event.preventDefault();
      entry.run(event);
    };
    window.addEventListener("keydown", hear);
    return () => window.removeEventListener("keydown", hear);
  }, []);
}

/** Whether the key belongs to a field, a control that uses it, or something open above the page. */
function busy(event: KeyboardEvent): boolean {
  if (document.querySelector('[role="dialog"][data-state="open"], [role="menu"][data-state="open"]'))
    return true;
  const at = event.target;
  if (!(at instanceof HTMLElement)) return false;
  if (at.isContentEditable || at.matches("textarea, select")) return true;
  if (at instanceof HTMLInputElement && !["checkbox", "radio", "button"].includes(at.type)) {
    // The palette opens from everywhere; all other keys are the field's.
    return !((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k");
  }
  const presses = event.key === " " || event.key === "Enter";
  return presses && at.matches("button, a, summary, [role]") && !at.matches("[data-task-title]");
}
