"use client";

import { useWindowVirtualizer } from "@tanstack/react-virtual";
import { useCallback, useRef, useState } from "react";

import type { Row } from "./rows";

/** The rows that are in sight, of any number. */
export function useWindowList(rows: readonly Row[]) {
  const list = useRef<HTMLUListElement | null>(null);
  const [top, setTop] = useState(0);
  // How far down the page the list begins changes with what stands above it.
  const ref = useCallback((element: HTMLUListElement | null) => {
    list.current = element;
    if (!element) return;
    const measure = () => setTop(Math.round(element.getBoundingClientRect().top + window.scrollY));
    const observer = new ResizeObserver(measure);
    observer.observe(document.body);
    if (element.parentElement) for (const part of element.parentElement.children) observer.observe(part);
    measure();
    return () => {
      list.current = null;
      observer.disconnect();
    };
  }, []);
  const virtual = useWindowVirtualizer({
    count: rows.length,
    scrollMargin: top,
    estimateSize: (i) => (rows[i]?.kind === "heading" ? 52 : 41),
    getItemKey: (i) => rows[i]?.key ?? i,
    overscan: 12,
    // What stands over the list: the header above, the bar of the selection below.
    scrollPaddingStart: 72,
    scrollPaddingEnd: 88,
  });

  /** Moves the focus to a task, wherever it is in the list. */
  const focus = useCallback(
    (id: string) => {
      const index = rows.findIndex((r) => r.kind === "task" && r.task.id === id);
      if (index < 0) return;
      virtual.scrollToIndex(index, { align: "auto" });
      let tries = 10;
      const attempt = () => {
        const row = list.current?.querySelector<HTMLElement>(
          `[data-task-id="${CSS.escape(id)}"] [data-task-title]`,
        );
        if (row) row.focus({ preventScroll: true });
        else if (tries-- > 0) requestAnimationFrame(attempt);
      };
      attempt();
    },
    [rows, virtual],
  );
  return { ref, virtual, focus, top };
}
