"use client";

import { FileQuestion, RotateCcw } from "lucide-react";

import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { Empty } from "@/components/ui/empty";
import { Skeleton } from "@/components/ui/skeleton";
import { formatDue } from "@/lib/time/due";
import { useNow } from "@/lib/time/use-now";
import { useZone } from "@/lib/time/zone";

import { ListError } from "./list-states";
import type { Task } from "./model";
import { TaskForm } from "./task-form";
import { TaskHistory } from "./task-history";
import { useTask, useTaskActions } from "./use-tasks";

/** One task with everything that can be said of it, over the page it was opened from. */
export function TaskSheet({ id, onClose }: { id: string; onClose: () => void }) {
  const { task, status, error, retry } = useTask(id);
  const zone = useZone();
  const now = useNow();
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      kind="sheet"
      className="gap-3 sm:w-[30rem] sm:p-6 sm:pt-4"
      title={
        // The title can be read and changed in its field below; here it names the dialog.
        <>
          <span className="sr-only">{task?.title ?? "Task"}</span>
          {task && (
            <span aria-hidden className="block pt-2 text-xs font-normal text-muted">
              Created {inSentence(formatDue(task.created_at, zone, now))}
            </span>
          )}
        </>
      }
    >
      {task ? (
        task.deleted_at ? (
          <Deleted task={task} onClose={onClose} />
        ) : (
          <TaskForm task={task} onClose={onClose} />
        )
      ) : status === "loading" ? (
        <div role="status" className="grid gap-4">
          <span className="sr-only">Loading the task</span>
          <Skeleton className="h-7 w-3/4" />
          {[0, 1, 2, 3].map((i) => (
            <Skeleton key={i} className="h-9" />
          ))}
          <Skeleton className="h-28" />
        </div>
      ) : error && error.status !== 404 && error.status !== 422 ? (
        <ListError error={error} retry={retry} rest={false} />
      ) : (
        <Empty
          icon={<FileQuestion />}
          title="There is no such task"
          action={<Button onClick={onClose}>Close</Button>}
        >
          It was deleted for good, or the link is not one of yours.
        </Empty>
      )}
    </Dialog>
  );
}

/** A task in the trash: it can be read and brought back, and not changed. */
function Deleted({ task, onClose }: { task: Task; onClose: () => void }) {
  const actions = useTaskActions();
  const zone = useZone();
  const now = useNow();
  return (
    <div className="grid gap-5">
      <p className="text-xl font-semibold break-words text-muted line-through">{task.title}</p>
      {task.description && <p className="text-sm break-words whitespace-pre-wrap">{task.description}</p>}
      <div className="flex flex-wrap items-center justify-between gap-3 rounded-xl bg-sunken p-4">
        <p className="min-w-0 flex-1 text-sm text-muted">
          In the trash since {inSentence(formatDue(task.deleted_at, zone, now))}. It is deleted for good after
          30 days.
        </p>
        <Button
          look="primary"
          size="sm"
          onClick={() => {
            onClose();
            void actions.restore([task]);
          }}
        >
          <RotateCcw aria-hidden />
          Restore
        </Button>
      </div>
      <TaskHistory id={task.id} />
    </div>
  );
}

function inSentence(when: string): string {
  return when.replace(/^(Today|Tomorrow|Yesterday)/, (day) => day.toLowerCase());
}
