"use client";

import Link from "next/link";
import type { MouseEvent, ReactNode } from "react";

import { taskHref, useOpenTask } from "@/features/tasks/open-task";

/** Opens a task over the page, so that the chat stays; in another tab it is opened in its list. */
export function TaskLink({
  id,
  className,
  children,
}: {
  id: string;
  className?: string;
  children: ReactNode;
}) {
  const open = useOpenTask();
  function press(event: MouseEvent) {
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    open(id);
  }
  return (
    <Link href={taskHref(id)} prefetch={false} onClick={press} className={className}>
      {children}
    </Link>
  );
}
