import { CircleAlert, RotateCw } from "lucide-react";

import { Button } from "@/components/ui/button";
import { Spinner } from "@/components/ui/spinner";

import { type Trouble, secondsLeft } from "./trouble";
import type { Away } from "./use-conversation";
import { useSecond } from "./use-second";

/** What went wrong with the last message, and what can be done: send it again when the server is ready, or change it. */
export function TroubleLine(props: { trouble: Trouble; onRetry: () => void; onEdit: () => void }) {
  const { trouble } = props;
  const now = useSecond(trouble.at);
  const left = secondsLeft(trouble, now.getTime());
  return (
    <div
      role="alert"
      className="flex flex-wrap items-center gap-x-3 gap-y-2 rounded-xl border border-danger bg-danger-soft px-3 py-2 text-sm"
    >
      <CircleAlert aria-hidden className="size-4 shrink-0 text-danger" />
      <p className="min-w-40 flex-1 break-words">{trouble.says}</p>
      {trouble.retry ? (
        <Button size="sm" disabled={left > 0} onClick={props.onRetry}>
          <RotateCw aria-hidden />
          Retry
          {left > 0 && <span className="font-normal tabular-nums"> in {left} s</span>}
        </Button>
      ) : (
        <Button size="sm" onClick={props.onEdit}>
          Edit message
        </Button>
      )}
    </div>
  );
}

/** A message that has no answer, of which nobody is working on one as far as the page knows. */
export function ForgottenLine({ onRetry }: { onRetry: () => void }) {
  return (
    <div
      role="status"
      className="flex flex-wrap items-center gap-3 rounded-xl border border-line bg-surface px-3 py-2 text-sm"
    >
      <p className="min-w-40 flex-1 text-muted">
        There is no answer to this yet. Asking again does nothing twice.
      </p>
      <Button size="sm" onClick={onRetry}>
        <RotateCw aria-hidden />
        Retry
      </Button>
    </div>
  );
}

const whys: Record<Away, string> = {
  stopped: "You stopped listening. What was begun goes on; its answer appears here.",
  lost: "The connection was lost. What was begun goes on; its answer appears here.",
  reloaded: "The answer is still being made. It appears here.",
};

/** The page waits for an answer of which it is not being told. */
export function AwayLine({ why, onRetry }: { why: Away; onRetry: () => void }) {
  return (
    <div
      role="status"
      className="flex flex-wrap items-center gap-3 rounded-xl border border-line bg-surface px-3 py-2 text-sm"
    >
      <Spinner className="shrink-0 text-muted" />
      <p className="min-w-40 flex-1 text-muted">{whys[why]}</p>
      <Button size="sm" look="ghost" onClick={onRetry}>
        Retry
      </Button>
    </div>
  );
}
