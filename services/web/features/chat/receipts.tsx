import { CircleAlert, CircleCheck, CircleHelp, CircleX, Clock } from "lucide-react";
import { useState } from "react";

import { Spinner } from "@/components/ui/spinner";
import { useTask } from "@/features/tasks/use-tasks";

import type { Outcome, Step } from "./steps";
import { TaskLink } from "./task-link";
import { linked } from "./words";

const icons: Record<Outcome, { icon: typeof CircleCheck; says: string; look: string }> = {
  running: { icon: Clock, says: "Running", look: "text-muted" },
  done: { icon: CircleCheck, says: "Done", look: "text-ok" },
  failed: { icon: CircleX, says: "Failed", look: "text-danger" },
  unknown: { icon: CircleHelp, says: "Not known whether it was done", look: "text-warn" },
  waiting: { icon: CircleAlert, says: "Waiting", look: "text-warn" },
};

/** More links than this are shown when they are asked for. */
const fewLinks = 4;

/** What an answer rests on: tools as they run, then their receipts with links to the tasks. */
export function Receipts({ steps, finished }: { steps: readonly Step[]; finished: boolean }) {
  if (steps.length === 0) return null;
  return (
    <ul
      aria-label={finished ? "What was done" : "What is being done"}
      className="grid w-fit max-w-full min-w-60 gap-px overflow-hidden rounded-xl border border-line bg-line"
    >
      {steps.map((step) => (
        <Receipt key={step.key} step={step} />
      ))}
    </ul>
  );
}

function Receipt({ step }: { step: Step }) {
  const [all, setAll] = useState(false);
  const { icon: Icon, says, look } = icons[step.outcome];
  const pieces = linked(step.words, step.tasks);
  const inWords = new Set(pieces.flatMap((p) => p.task ?? []));
  const others = step.tasks.filter((t) => !inWords.has(t.id));
  const shown = all ? others : others.slice(0, fewLinks);
  return (
    <li className="flex gap-2.5 bg-surface px-3 py-2 text-sm">
      {step.outcome === "running" ? (
        <Spinner className="mt-0.5 shrink-0 text-muted" />
      ) : (
        <Icon aria-hidden className={`mt-0.5 size-4 shrink-0 ${look}`} />
      )}
      <div className="grid min-w-0 flex-1 gap-1.5">
        <p className="break-words">
          <span className="sr-only">{says}: </span>
          {pieces.map((p, i) =>
            p.task ? (
              <TaskLink key={i} id={p.task} className="font-medium text-accent underline underline-offset-4">
                {p.text}
              </TaskLink>
            ) : (
              p.text
            ),
          )}
        </p>
        {shown.length > 0 && (
          <div className="flex flex-wrap gap-1.5">
            {shown.map((task) =>
              task.title ? (
                <TaskChip key={task.id} id={task.id} title={task.title} />
              ) : (
                <AskedChip key={task.id} id={task.id} />
              ),
            )}
            {shown.length < others.length && (
              <button
                type="button"
                onClick={() => setAll(true)}
                className="min-h-6 cursor-pointer rounded-full px-2 text-xs text-muted hover:text-ink"
              >
                {others.length - shown.length} more
              </button>
            )}
          </div>
        )}
      </div>
    </li>
  );
}

function TaskChip({ id, title }: { id: string; title: string }) {
  return (
    <TaskLink
      id={id}
      className="inline-flex min-h-6 max-w-full items-center rounded-full bg-accent-soft px-2.5 text-xs font-medium text-accent hover:underline"
    >
      <span className="truncate">{title}</span>
    </TaskLink>
  );
}

/** A task of which the answer keeps no title. It may be gone meanwhile. */
function AskedChip({ id }: { id: string }) {
  const { task, status } = useTask(id);
  if (task) return <TaskChip id={id} title={task.title} />;
  return (
    <span className="inline-flex min-h-6 items-center rounded-full bg-sunken px-2.5 text-xs text-muted">
      {status === "ready" ? "A task that is gone" : "A task"}
    </span>
  );
}
