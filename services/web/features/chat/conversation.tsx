"use client";

import { ArrowDown } from "lucide-react";
import { useEffect, useMemo, useRef, useState } from "react";

import { Button } from "@/components/ui/button";
import { Chip } from "@/components/ui/chip";
import { Spinner } from "@/components/ui/spinner";
import { Tooltip } from "@/components/ui/tooltip";
import { useOpenTasks } from "@/features/tasks/use-tasks";

import { decidedIn } from "./approvals";
import { Composer } from "./composer";
import { Examples } from "./examples";
import { type ChatMessage, type MessagePage, isFinished } from "./message";
import { MessageItem, Thinking } from "./message-item";
import { AwayLine, ForgottenLine, TroubleLine } from "./status-line";
import { titlesOf } from "./steps";
import { useConversation } from "./use-conversation";
import { useScroll } from "./use-scroll";

type Props = {
  /** What the history has of it; null begins a new one. */
  page: MessagePage | null;
  onNamed: (conversationId: string) => void;
};

/** A conversation with the agent. Mount another one (by key) for another conversation. */
export function Conversation({ page, onNamed }: Props) {
  const chat = useConversation(page, onNamed);
  const { messages, answering, older, loadOlder } = chat;
  const [draft, setDraft] = useState("");
  const field = useRef<HTMLTextAreaElement>(null);
  const decided = useMemo(() => decidedIn(messages), [messages]);
  const titles = useTitles(messages);
  const last = messages.at(-1);
  const { box, content, unseen, toEnd, onScroll } = useScroll(messages[0]?.id ?? "", () => {
    if (older.more && !older.failed) void loadOlder();
  });

  useEffect(() => field.current?.focus(), []);

  function pick(sentence: string) {
    setDraft(sentence);
    field.current?.focus();
  }

  return (
    <div className="flex min-h-0 flex-1 flex-col">
      <div className="relative flex min-h-0 flex-1 flex-col">
        <div
          ref={box}
          onScroll={onScroll}
          role="log"
          aria-label="Messages"
          // What is finished is told by regions of its own.
          aria-live="off"
          tabIndex={0}
          className="min-h-0 flex-1 overflow-y-auto overscroll-contain px-4 -outline-offset-2"
        >
          <div ref={content} className="mx-auto flex min-h-full max-w-3xl flex-col py-4">
            {older.more && <Older {...older} onPress={() => void loadOlder()} />}
            {messages.length === 0 ? (
              <Examples onPick={pick} />
            ) : (
              <ol className="grid gap-4">
                {messages.map((message) => (
                  <MessageItem
                    key={message.id}
                    message={message}
                    titles={titles}
                    decided={decided}
                    deeds={chat.deeds}
                    live={answering && message === last}
                    disabled={chat.busy}
                    onDecide={(approval, approve) => {
                      void chat.decide(approval, approve);
                      field.current?.focus();
                    }}
                  />
                ))}
                {answering && last?.role === "user" && (
                  <li>
                    <Thinking />
                  </li>
                )}
              </ol>
            )}
            <div className="mt-3 grid gap-3 empty:hidden">
              {chat.away && <AwayLine why={chat.away} onRetry={chat.retry} />}
              {chat.forgotten && <ForgottenLine onRetry={chat.retry} />}
              {chat.trouble && (
                <TroubleLine
                  key={`${chat.trouble.at} ${chat.trouble.says}`}
                  trouble={chat.trouble}
                  onRetry={chat.retry}
                  onEdit={() => pick(chat.takeBack())}
                />
              )}
            </div>
          </div>
        </div>
        {unseen && (
          <Button
            size="sm"
            onClick={toEnd}
            className="absolute bottom-2 left-1/2 -translate-x-1/2 rounded-full shadow-pop"
          >
            <ArrowDown aria-hidden />
            New messages
          </Button>
        )}
      </div>
      <p role="status" aria-live="polite" className="sr-only">
        {chat.spoken}
      </p>
      <div className="px-4 pt-1 pb-[max(0.75rem,env(safe-area-inset-bottom))]">
        <div className="mx-auto grid w-full max-w-3xl gap-1.5">
          <Composer
            field={field}
            draft={draft}
            onDraft={setDraft}
            answering={answering}
            busy={chat.busy}
            onSend={(text) => {
              setDraft("");
              chat.send(text);
              toEnd();
            }}
            onStop={() => void chat.stop()}
          />
          <ModelLabel messages={messages} />
        </div>
      </div>
    </div>
  );
}

/** What tasks are called: as the tools told when they were spoken of, or else as they are called now. */
function useTitles(messages: readonly ChatMessage[]): ReadonlyMap<string, string> {
  const { tasks } = useOpenTasks();
  const known = useMemo(() => new Map(tasks.map((t) => [t.id, t.title])), [tasks]);
  return useMemo(() => titlesOf(messages, known), [messages, known]);
}

function Older(props: { loading: boolean; failed: string | null; onPress: () => void }) {
  return (
    <div className="mb-4 grid justify-items-center gap-1">
      {props.failed && (
        <p role="alert" className="text-sm text-danger">
          {props.failed}
        </p>
      )}
      <Button size="sm" look="ghost" onClick={props.onPress} disabled={props.loading}>
        {props.loading && <Spinner />}
        Show older messages
      </Button>
    </div>
  );
}

/** Which model answers. Rules that stand in for one are never taken for one. */
function ModelLabel({ messages }: { messages: readonly ChatMessage[] }) {
  const model = messages.findLast((m) => m.metadata?.model)?.metadata?.model;
  const approves = messages.some(isFinished);
  if (!model) return null;
  return (
    <div className="flex min-h-5 items-center justify-between gap-3 text-xs text-muted">
      {model.offline ? (
        <Tooltip text="No language model is configured; simple rules stand in for one.">
          <span tabIndex={0} className="inline-flex rounded-full">
            <Chip tone="warn">offline model</Chip>
          </span>
        </Tooltip>
      ) : (
        <span className="truncate">{model.name}</span>
      )}
      {approves && <span className="truncate">Deletions need your approval.</span>}
    </div>
  );
}
