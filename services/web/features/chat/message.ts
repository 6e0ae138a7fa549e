import type { UIMessage } from "ai";

import type { components } from "@/lib/api/chat-agent.gen";

type Schemas = components["schemas"];
export type Receipt = Schemas["Receipt"];
export type Approval = Schemas["Approval"];
export type Answer = Schemas["Answer"];
export type StoredMessage = Schemas["Message"];
export type MessagePage = Schemas["MessagePage"];
export type Conversation = Schemas["Conversation"];

/**
 * What a message carries besides its text. While an answer is streamed it has the ids and the model; the lists come with
 * its end, so that an answer without `tool_calls` is not finished.
 */
export type Metadata = {
  conversation_id: string;
  message_id?: string;
  model?: Schemas["Model"];
  tool_calls?: Receipt[];
  approvals?: Approval[];
  task_ids?: string[];
};

export type ChatMessage = UIMessage<Metadata>;

// History has a model's name only. This one stands in where none is configured.
const offlineModel = "taskflow-offline";

/** A message of the history as one of the chat. */
export function fromHistory(stored: StoredMessage, conversationId: string): ChatMessage {
  const metadata: Metadata = { conversation_id: conversationId };
  if (stored.role === "assistant") {
    metadata.message_id = stored.in_reply_to;
    metadata.tool_calls = stored.receipts ?? [];
    metadata.approvals = stored.approvals ?? [];
    metadata.task_ids = stored.task_ids ?? [];
    if (stored.model) metadata.model = { name: stored.model, offline: stored.model === offlineModel };
  }
  return { id: stored.id, role: stored.role, metadata, parts: [{ type: "text", text: stored.text }] };
}

/** An answer that was not streamed as a message of the chat. */
export function fromAnswer(answer: Answer): ChatMessage {
  const { conversation_id, message_id, model, tool_calls, approvals, task_ids } = answer;
  return {
    id: answer.answer_id,
    role: "assistant",
    metadata: { conversation_id, message_id, model, tool_calls, approvals, task_ids },
    parts: [{ type: "text", text: answer.response }],
  };
}

export function userMessage(id: string, text: string, conversationId: string | null): ChatMessage {
  return {
    id,
    role: "user",
    ...(conversationId && { metadata: { conversation_id: conversationId } }),
    parts: [{ type: "text", text }],
  };
}

/** The words of a message. Those of several steps are paragraphs, as in the history. */
export function textOf(message: ChatMessage): string {
  return message.parts
    .flatMap((part) => (part.type === "text" && part.text !== "" ? [part.text] : []))
    .join("\n\n");
}

/** Whether an answer has all that will ever be in it. */
export function isFinished(message: ChatMessage): boolean {
  return message.role === "assistant" && message.metadata?.tool_calls !== undefined;
}

/** The conversation that messages are of; null as long as the server has not named it. */
export function conversationOf(messages: readonly ChatMessage[]): string | null {
  return messages.findLast((m) => m.metadata?.conversation_id)?.metadata?.conversation_id ?? null;
}

/** The user's last message, if it has no finished answer. */
export function unanswered(messages: readonly ChatMessage[]): ChatMessage | null {
  const last = messages.at(-1);
  if (!last || isFinished(last)) return null;
  return messages.findLast((m) => m.role === "user") ?? null;
}

/** Whether a message before the last one has no finished answer here; the history may have one. */
export function hasGap(messages: readonly ChatMessage[]): boolean {
  return messages.some((m, i) => {
    const next = messages[i + 1];
    return m.role === "user" && next !== undefined && !isFinished(next);
  });
}

/**
 * The messages there are together with a page of the history: the history's form of a message counts, and its order. What
 * it does not have stays: older ones before, what is being said after.
 */
export function merged(now: readonly ChatMessage[], page: readonly ChatMessage[]): ChatMessage[] {
  const stored = new Set(page.map((m) => m.id));
  const first = now.findIndex((m) => stored.has(m.id));
  const before = first < 0 ? now : now.slice(0, first);
  const after = first < 0 ? [] : now.slice(first).filter((m) => !stored.has(m.id));
  return [...before, ...page, ...after];
}

/** As merged, for a page that was said before everything that is here. */
export function preceded(now: readonly ChatMessage[], page: readonly ChatMessage[]): ChatMessage[] {
  const known = new Set(now.map((m) => m.id));
  return [...page.filter((m) => !known.has(m.id)), ...now];
}
