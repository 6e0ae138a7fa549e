"use client";

import dynamic from "next/dynamic";

import { useOpenTask, useOpenedTask } from "./open-task";

const TaskSheet = dynamic(() => import("./task-sheet").then((m) => m.TaskSheet), { ssr: false });

/** The sheet of the task the address names, over whichever page is shown. */
export function OpenedTask() {
  const id = useOpenedTask();
  const open = useOpenTask();
  return id && <TaskSheet key={id} id={id} onClose={() => open(null)} />;
}
