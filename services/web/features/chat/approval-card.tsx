import { Ban, Check, Clock, ShieldQuestion } from "lucide-react";
import type { ReactNode } from "react";

import { Button } from "@/components/ui/button";
import { cn } from "@/lib/cn";

import { type Decided, type Deed, approvalState, clock } from "./approvals";
import type { Approval } from "./message";
import { useSecond } from "./use-second";

type Props = {
  approval: Approval;
  decided: Decided | undefined;
  deed: Deed | undefined;
  /** Nothing can be decided while an answer is made. */
  disabled: boolean;
  onDecide: (approve: boolean) => void;
};

/** What the agent does only if the user agrees, with the time there is to decide. */
export function ApprovalCard({ approval, decided, deed, disabled, onDecide }: Props) {
  const now = useSecond(decided ? 0 : Date.parse(approval.expires_at));
  const state = approvalState(approval, decided, deed, now);
  const asks = state.is === "open" || state.is === "deciding";
  const tasks = approval.tasks ?? [];
  return (
    <div
      role="group"
      aria-label="Approval needed"
      className={cn(
        "grid max-w-xl gap-2.5 rounded-xl border p-3 text-sm",
        asks ? "border-warn bg-warn-soft" : "border-line bg-surface",
      )}
    >
      <div className="flex items-start gap-2.5">
        <ShieldQuestion
          aria-hidden
          className={cn("mt-0.5 size-4 shrink-0", asks ? "text-warn" : "text-muted")}
        />
        <div className="grid min-w-0 flex-1 gap-1">
          <p className="font-medium break-words">{approval.summary}</p>
          {tasks.length > 0 && (
            <ul className="grid max-h-40 list-disc gap-0.5 overflow-y-auto pl-4 break-words">
              {tasks.map((title, i) => (
                <li key={i}>{title}</li>
              ))}
            </ul>
          )}
        </div>
      </div>
      {asks && (
        <div className="flex flex-wrap items-center gap-2 pl-6.5">
          <Button
            look="primary"
            size="sm"
            busy={state.is === "deciding" && state.approve}
            disabled={disabled || state.is === "deciding"}
            onClick={() => onDecide(true)}
          >
            Approve
          </Button>
          <Button
            size="sm"
            busy={state.is === "deciding" && !state.approve}
            disabled={disabled || state.is === "deciding"}
            onClick={() => onDecide(false)}
          >
            Deny
          </Button>
          {state.is === "open" && (
            <span role="timer" className="ml-auto flex items-center gap-1.5 text-xs text-muted tabular-nums">
              <Clock aria-hidden className="size-3.5" />
              Expires in {clock(state.seconds)}
            </span>
          )}
        </div>
      )}
      {state.is === "open" && state.why && (
        <p role="alert" className="pl-6.5 text-danger">
          {state.why}
        </p>
      )}
      {state.is === "approved" && <Ended icon={<Check className="text-ok" />}>You approved this.</Ended>}
      {state.is === "denied" && <Ended icon={<Ban />}>You denied this. Nothing was changed.</Ended>}
      {state.is === "expired" && (
        <Ended icon={<Clock />}>The time to decide has run out. Nothing was changed; ask for it again.</Ended>
      )}
      {state.is === "gone" && (
        <p role="alert" className="pl-6.5 text-muted">
          {state.why}
        </p>
      )}
    </div>
  );
}

function Ended({ icon, children }: { icon: ReactNode; children: ReactNode }) {
  return (
    <p className="flex items-center gap-1.5 pl-6.5 text-muted [&_svg]:size-4 [&_svg]:shrink-0">
      {icon}
      {children}
    </p>
  );
}
