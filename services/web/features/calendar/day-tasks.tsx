"use client";

import { CalendarArrowUp } from "lucide-react";
import { useState } from "react";

import { Button } from "@/components/ui/button";
import type { Task } from "@/features/tasks/model";
import { MoveDialog } from "@/features/tasks/move-dialog";
import { isOverdue } from "@/lib/time/due";

import { TaskChip } from "./task-chip";
import type { Dated } from "./tasks";

type Props = { tasks: readonly Dated[]; zone: string; now: Date; onOpen?: () => void };

/** The tasks of a day as a list. What dragging does has its own button here. */
export function DayTasks({ tasks, zone, now, onOpen }: Props) {
  const [moving, setMoving] = useState<Task | null>(null);
  return (
    <>
      <ul className="grid grid-cols-[minmax(0,1fr)]">
        {tasks.map((dated) => (
          <li key={dated.task.id} className="flex items-center gap-1">
            <div className="min-w-0 flex-1">
              <TaskChip
                {...dated}
                overdue={isOverdue(dated.task.due_date, zone, now)}
                tabbable
                roomy
                onOpen={onOpen}
              />
            </div>
            <Button
              look="ghost"
              size="icon"
              className="text-muted"
              aria-label={`Move ${dated.task.title} to…`}
              onClick={() => setMoving(dated.task)}
            >
              <CalendarArrowUp aria-hidden />
            </Button>
          </li>
        ))}
      </ul>
      {moving && <MoveDialog tasks={[moving]} onClose={() => setMoving(null)} />}
    </>
  );
}
