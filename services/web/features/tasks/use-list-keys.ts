"use client";

import { type FocusEvent, useCallback, useEffect, useRef } from "react";

import { type ShortcutGroup, useShortcut } from "@/features/shell/shortcuts";

import type { Task } from "./model";
import { type Selection, all, nothing, toggled } from "./selection";

const group: ShortcutGroup = "In a list";

/**
 * The keys of a list. They are about the selection or, without one, the row that has the focus; what returns notes where
 * that is. When that row leaves, the focus goes to the one that takes its place.
 */
export function useListKeys(list: {
  tasks: readonly Task[];
  /** The ids of the tasks, in order. */
  listed: readonly string[];
  selected: readonly Task[];
  selection: Selection;
  select: (selection: Selection) => void;
  focus: (id: string) => void;
  /** In the trash one can only look. */
  readOnly: boolean;
  open: (task: Task) => void;
  edit: (task: Task) => void;
  complete: (tasks: readonly Task[]) => void;
  remove: (tasks: readonly Task[]) => void;
  move: (tasks: readonly Task[]) => void;
}): (event: FocusEvent) => void {
  const { listed, focus, select, selection, readOnly } = list;
  const cursor = useRef<{ id: string; index: number } | null>(null);

  useEffect(() => {
    const at = cursor.current;
    if (!at || listed.includes(at.id)) return;
    cursor.current = null;
    const next = listed[Math.min(at.index, listed.length - 1)];
    const now = document.activeElement;
    // A new task's row has got another id, and the focus is in it still.
    const same = now && idAt(now);
    if (same && listed.includes(same)) {
      cursor.current = { id: same, index: listed.indexOf(same) };
      return;
    }
    const lost = !now || now === document.body || now.closest(`[data-task-id="${CSS.escape(at.id)}"]`);
    if (next && lost) focus(next);
  }, [listed, focus]);

  const here = () => list.tasks.find((t) => t.id === cursor.current?.id);
  const step = (by: 1 | -1) => {
    const at = cursor.current ? listed.indexOf(cursor.current.id) : -1;
    const next = listed[at < 0 ? (by > 0 ? 0 : listed.length - 1) : at + by];
    if (next) focus(next);
  };
  const withHere = (run: (task: Task) => void) => {
    const task = here();
    if (task && !readOnly) run(task);
  };
  const withMeant = (run: (tasks: readonly Task[]) => void) => {
    if (list.selected.length === 0) return withHere((task) => run([task]));
    if (!readOnly) run(list.selected);
    select(nothing);
  };

  useShortcut("j", "Next task", () => step(1), group);
  useShortcut("k", "Previous task", () => step(-1), group);
  useShortcut(
    "Enter",
    "Open",
    () => {
      const task = here();
      if (task) list.open(task);
    },
    group,
  );
  useShortcut("e", "Edit the title", () => withHere(list.edit), group);
  useShortcut("F2", "Edit the title", () => withHere(list.edit), group);
  useShortcut("d", "Complete", () => withMeant(list.complete), group);
  useShortcut("Space", "Complete", () => withMeant(list.complete), group);
  useShortcut("m", "Move to…", () => withMeant(list.move), group);
  useShortcut("#", "Delete", () => withMeant(list.remove), group);
  useShortcut("Delete", "Delete", () => withMeant(list.remove), group);
  useShortcut("x", "Select", () => withHere((task) => select(toggled(selection, task.id))), group);
  useShortcut("mod+a", "Select all", () => select(readOnly ? nothing : all(selection, listed)), group);
  useShortcut("Escape", "Clear the selection", () => select(nothing), group);

  return useCallback(
    (event) => {
      const id = idAt(event.target);
      if (id) cursor.current = { id, index: listed.indexOf(id) };
    },
    [listed],
  );
}

/** The id of the task in whose row an element is. */
function idAt(element: Element): string | undefined {
  return element.closest<HTMLElement>("[data-task-id]")?.dataset["taskId"];
}
