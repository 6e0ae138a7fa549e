"use client";

import { useEffect, useState } from "react";

import { type Row, withLeaving } from "./rows";

type Phase = "still" | "leaving" | "closing";

/** How long a row fades, and how long the others take to close the gap, in milliseconds. */
const lasts = { leaving: 180, closing: 220 };

/**
 * The rows to show: what left a moment ago still stands there, fading, and then the rest moves up. `moving` is true while
 * positions change on purpose and may be animated. Another `list` is shown at once.
 */
export function useLeaving(rows: readonly Row[], list: string): { shown: readonly Row[]; moving: boolean } {
  const [state, setState] = useState<{
    rows: readonly Row[];
    list: string;
    shown: readonly Row[];
    phase: Phase;
  }>({
    rows,
    list,
    shown: rows,
    phase: "still",
  });
  let now = state;
  if (state.rows !== rows || state.list !== list) {
    const shown = state.list === list ? withLeaving(state.rows, rows) : rows;
    const few = Math.abs(rows.length - state.rows.length) < 5;
    const phase = shown !== rows ? "leaving" : state.list === list && few ? "closing" : "still";
    now = { rows, list, shown, phase };
    setState(now);
  }
  const { phase } = now;
  useEffect(() => {
    if (phase === "still") return;
    const next = phase === "leaving" ? "closing" : "still";
    const timer = setTimeout(() => setState((s) => ({ ...s, shown: s.rows, phase: next })), lasts[phase]);
    return () => clearTimeout(timer);
  }, [phase, rows]);
  return { shown: now.shown, moving: phase !== "still" };
}
