import { Spinner } from "@/components/ui/spinner";

import { type Decided, type Deed } from "./approvals";
import { ApprovalCard } from "./approval-card";
import { type Approval, type ChatMessage, isFinished, textOf } from "./message";
import { Receipts } from "./receipts";
import { type Step, stepsOf } from "./steps";
import { TaskLink } from "./task-link";
import { linked } from "./words";

type Props = {
  message: ChatMessage;
  titles: ReadonlyMap<string, string>;
  decided: ReadonlyMap<string, Decided>;
  deeds: ReadonlyMap<string, Deed>;
  /** It is being told now. */
  live: boolean;
  disabled: boolean;
  onDecide: (approval: Approval, approve: boolean) => void;
};

/** One thing that was said, by the user or by the agent. */
export function MessageItem(props: Props) {
  const { message } = props;
  if (message.role === "user") {
    return (
      <li className="flex justify-end pl-10">
        <div className="max-w-full rounded-2xl rounded-br-md bg-accent-soft px-3.5 py-2 text-sm break-words whitespace-pre-wrap">
          <span className="sr-only">You: </span>
          {textOf(message)}
        </div>
      </li>
    );
  }
  return <AnswerItem {...props} />;
}

function AnswerItem({ message, titles, decided, deeds, live, disabled, onDecide }: Props) {
  const text = textOf(message);
  const finished = isFinished(message);
  const approvals = message.metadata?.approvals ?? [];
  // What waits is asked in a card of its own.
  const steps = stepsOf(message, titles).filter((s) => s.outcome !== "waiting" || approvals.length === 0);
  const thinking = live && text === "" && !steps.some((s) => s.outcome === "running");
  return (
    <li className="grid gap-2.5">
      <span className="sr-only">TaskFlow: </span>
      <Receipts steps={steps} finished={finished} />
      <div>
        {text !== "" && !finished && <Words text={text} steps={steps} />}
        {thinking && <Thinking />}
        {/* Every token would be read out; the finished answer comes into this region as a whole, and is read once. */}
        <div aria-live="polite">{text !== "" && finished && <Words text={text} steps={steps} />}</div>
      </div>
      {approvals.map((a) => (
        <ApprovalCard
          key={a.id}
          approval={a}
          decided={decided.get(a.id)}
          deed={deeds.get(a.id)}
          disabled={disabled}
          onDecide={(approve) => onDecide(a, approve)}
        />
      ))}
    </li>
  );
}

function Words({ text, steps }: { text: string; steps: readonly Step[] }) {
  const tasks = steps.flatMap((step) => step.tasks);
  return (
    <p className="text-sm leading-relaxed break-words whitespace-pre-wrap">
      {linked(text, tasks).map((piece, i) =>
        piece.task ? (
          <TaskLink key={i} id={piece.task} className="font-medium text-accent underline underline-offset-4">
            {piece.text}
          </TaskLink>
        ) : (
          piece.text
        ),
      )}
    </p>
  );
}

export function Thinking() {
  return (
    <p className="flex items-center gap-2 text-sm text-muted">
      <Spinner />
      Thinking…
    </p>
  );
}
