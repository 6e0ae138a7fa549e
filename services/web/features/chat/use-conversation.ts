"use client";

import { useChat } from "@ai-sdk/react";
import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useMemo, useState } from "react";

import { chatApi, must } from "@/lib/api/client";
import { ApiError } from "@/lib/api/problem";
import { useUser } from "@/lib/user";

import { type Deed, decisionIn, decisionText, refused } from "./approvals";
import { answerTo, loadPage, longestAnswer, messagesOf, pauseUntil } from "./history";
import {
  type Approval,
  type ChatMessage,
  type MessagePage,
  conversationOf,
  fromAnswer,
  hasGap,
  merged,
  preceded,
  textOf,
  unanswered,
  userMessage,
} from "./message";
import { newId, transportFor } from "./transport";
import { ConnectionLost, type Trouble, troubleOf } from "./trouble";

/** Why the page waits for an answer that it is not being told. */
export type Away = "stopped" | "lost" | "reloaded";

const arrived = "The answer has arrived.";

/** Tokens come faster than the page needs to be drawn. */
const drawEvery = 50;

function awayAtFirst(page: MessagePage | null): Away | null {
  const last = page?.items.at(-1);
  const fresh = last && Date.now() - Date.parse(last.created_at) < longestAnswer;
  return last?.role === "user" && fresh ? "reloaded" : null;
}

/**
 * One conversation: what was said in it, and what can be done. `page` is what the history has of it; null begins a new one.
 * `onNamed` is told its id when the server has named it.
 */
export function useConversation(page: MessagePage | null, onNamed: (conversationId: string) => void) {
  const user = useUser();
  const queries = useQueryClient();
  const transport = useMemo(() => transportFor(user.id), [user.id]);
  const [first] = useState(() => (page ? messagesOf(page) : []));
  const [trouble, setTrouble] = useState<Trouble | null>(null);
  const [away, setAway] = useState<Away | null>(() => awayAtFirst(page));
  const [older, setOlder] = useState<{ more: boolean; loading: boolean; failed: string | null }>({
    more: page?.more ?? false,
    loading: false,
    failed: null,
  });
  const [deeds, setDeeds] = useState<ReadonlyMap<string, Deed>>(new Map());
  const [spoken, setSpoken] = useState("");

  const { messages, setMessages, sendMessage, regenerate, stop, status } = useChat<ChatMessage>({
    transport,
    messages: first,
    generateId: newId,
    experimental_throttle: drawEvery,
    onError: (error) => {
      if (error instanceof ConnectionLost) setAway("lost");
      else setTrouble(troubleOf(error, Date.now()));
    },
    onFinish: ({ messages: all, isAbort, isError }) => {
      void queries.invalidateQueries({ queryKey: ["conversations", user.id] });
      if (!isAbort && !isError && hasGap(all)) void fill(all);
    },
  });

  const conversationId = conversationOf(messages) ?? page?.conversation_id ?? null;
  const answering = status === "submitted" || status === "streaming";
  const deciding = [...deeds.values()].some((d) => d.is === "deciding");
  const open = unanswered(messages);
  // Without the conversation's name there is nowhere to look; the message is sent again then.
  const waiting = open && conversationId ? away : null;

  useEffect(() => {
    if (conversationId) onNamed(conversationId);
  }, [conversationId, onNamed]);

  // A page that goes stops listening; the run goes on, and the history has its answer.
  useEffect(() => () => void stop(), [stop]);

  const awaited = waiting && open?.id;
  useEffect(() => {
    if (!awaited || !conversationId) return;
    const over = new AbortController();
    const { signal } = over;
    const load = async () => messagesOf(await loadPage(user.id, conversationId, { signal }));
    answerTo(awaited, load, pauseUntil(signal))
      .then((found) => {
        if (signal.aborted) return;
        setAway(null);
        if (!found) return;
        setMessages((now) => merged(now, found));
        setSpoken(arrived);
      })
      .catch((error: unknown) => {
        if (signal.aborted) return;
        setAway(null);
        if (error instanceof Error) setTrouble(troubleOf(error, Date.now()));
      });
    return () => over.abort();
  }, [awaited, conversationId, setMessages, user.id]);

  // An answer that was stopped or lost, and was finished at the server before the next one began.
  async function fill(all: readonly ChatMessage[]) {
    const id = conversationOf(all);
    if (!id) return;
    try {
      const found = messagesOf(await loadPage(user.id, id));
      setMessages((now) => merged(now, found));
    } catch {
      // What is missing is in the history still; opening the conversation again shows it.
    }
  }

  function put(...those: ChatMessage[]) {
    const ids = new Set(those.map((m) => m.id));
    setMessages((now) => [...now.filter((m) => !ids.has(m.id)), ...those]);
  }

  function send(text: string) {
    setTrouble(null);
    setAway(null);
    setSpoken("");
    void sendMessage(userMessage(newId(), text, conversationId));
  }

  function retry() {
    setTrouble(null);
    setAway(null);
    const decision = open && decisionIn(open, messages);
    if (decision) void decide(decision.approval, decision.approve);
    else void regenerate();
  }

  async function stopListening() {
    await stop();
    setAway("stopped");
  }

  /** Takes back the last message, which was refused, and returns its text to be changed. */
  function takeBack(): string {
    setTrouble(null);
    if (!open) return "";
    setMessages((now) =>
      now.slice(
        0,
        now.findIndex((m) => m.id === open.id),
      ),
    );
    return textOf(open);
  }

  async function decide(approval: Approval, approve: boolean) {
    setTrouble(null);
    setSpoken("");
    setDeeds((now) => new Map(now).set(approval.id, { is: "deciding", approve }));
    let failed: Deed | undefined;
    try {
      const answer = await must(
        chatApi.POST("/api/{user_id}/chat/approvals/{approval_id}", {
          params: { path: { user_id: user.id, approval_id: approval.id } },
          body: { approve },
        }),
      );
      // Only a stream is text, and none was asked for.
      if (typeof answer === "string") throw new ApiError({ status: 0, detail: "The answer cannot be read." });
      const said = userMessage(answer.message_id, decisionText(approval, approve), answer.conversation_id);
      put(said, fromAnswer(answer));
      setSpoken(arrived);
      void queries.invalidateQueries({ queryKey: ["conversations", user.id] });
    } catch (error) {
      failed = refused(
        error instanceof ApiError ? error : new ApiError({ status: 0, detail: String(error), cause: error }),
      );
      // It was decided elsewhere, perhaps: the conversation tells how.
      if (failed.is === "gone") void fill(messages);
    }
    setDeeds((now) => {
      const next = new Map(now);
      if (failed) next.set(approval.id, failed);
      else next.delete(approval.id);
      return next;
    });
  }

  async function loadOlder() {
    const [oldest] = messages;
    if (!oldest || !conversationId || older.loading || !older.more) return;
    setOlder({ more: true, loading: true, failed: null });
    try {
      const before = await loadPage(user.id, conversationId, { before: oldest.id });
      setMessages((now) => preceded(now, messagesOf(before)));
      setOlder({ more: before.more, loading: false, failed: null });
    } catch (error) {
      setOlder({
        more: true,
        loading: false,
        failed: error instanceof Error ? error.message : String(error),
      });
    }
  }

  return {
    messages,
    conversationId,
    /** An answer is being told. */
    answering,
    /** Nothing can be sent now. */
    busy: answering || deciding,
    away: waiting,
    trouble,
    /** The last message has no answer, and none is on its way. */
    forgotten: open !== null && !answering && !deciding && !waiting && !trouble,
    deeds,
    older,
    /** What those who listen to the page are told of answers that were not streamed; streamed ones are read out. */
    spoken,
    send,
    retry,
    stop: stopListening,
    takeBack,
    decide,
    loadOlder,
  };
}
