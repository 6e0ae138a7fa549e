"use client";

import { type DragEvent, useState, useSyncExternalStore } from "react";

import type { Task } from "./model";

// What is dragged now. Only within this page, so the tasks themselves are at hand; what the browser carries along is
// their titles, for other programs.
let dragged: readonly Task[] | null = null;
const listeners = new Set<() => void>();

function set(tasks: readonly Task[] | null) {
  dragged = tasks;
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function end() {
  set(null);
  for (const name of endings) window.removeEventListener(name, end);
}
// A row that scrolled away before the drop hears no dragend; the mouse moves again only when it is over.
const endings = ["dragend", "drop", "mousemove"] as const;

/** The tasks that are dragged now. */
export function useDragged(): readonly Task[] | null {
  return useSyncExternalStore(
    subscribe,
    () => dragged,
    () => null,
  );
}

/** Begins to drag tasks, the first of which was taken hold of. */
export function startDrag(event: DragEvent<HTMLElement>, tasks: readonly Task[]): void {
  event.dataTransfer.effectAllowed = "move";
  event.dataTransfer.setData("text/plain", tasks.map((t) => t.title).join("\n"));
  // Chrome ends a drag if the page changes under it in this very event.
  setTimeout(() => {
    set(tasks);
    for (const name of endings) window.addEventListener(name, end);
  });
}

/** Makes an element take dragged tasks. `over` says that they are above it. */
export function useDropTarget(onDrop: (tasks: readonly Task[]) => void) {
  const tasks = useDragged();
  const [entered, setEntered] = useState(false);
  return {
    dragging: tasks !== null,
    over: entered && tasks !== null,
    handlers: {
      onDragOver: (event: DragEvent) => {
        if (!dragged) return;
        event.preventDefault();
        event.dataTransfer.dropEffect = "move";
        setEntered(true);
      },
      onDragLeave: (event: DragEvent) => {
        if (event.relatedTarget instanceof Node && event.currentTarget.contains(event.relatedTarget)) return;
        setEntered(false);
      },
      onDrop: (event: DragEvent) => {
        event.preventDefault();
        setEntered(false);
        const dropped = dragged;
        end();
        if (dropped) onDrop(dropped);
      },
    },
  };
}
