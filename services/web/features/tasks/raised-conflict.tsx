"use client";

import dynamic from "next/dynamic";

import { useConflict } from "./use-tasks";

const ConflictDialog = dynamic(() => import("./conflict-dialog").then((m) => m.ConflictDialog), {
  ssr: false,
});

/** The dialog of the conflict that waits for a decision, if any. */
export function RaisedConflict() {
  const { conflict } = useConflict();
  return conflict && <ConflictDialog />;
}
