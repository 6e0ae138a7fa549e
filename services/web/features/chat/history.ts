import { chatApi, must } from "@/lib/api/client";
import { ApiError } from "@/lib/api/problem";

import { type ChatMessage, type MessagePage, fromHistory, isFinished } from "./message";

const pageSize = 30;

/** The newest messages of a conversation, or those before one. Throws ApiError. */
export function loadPage(
  userId: string,
  conversationId: string,
  options: { before?: string; signal?: AbortSignal } = {},
): Promise<MessagePage> {
  const { before, signal } = options;
  return must(
    chatApi.GET("/api/{user_id}/conversations/{conversation_id}/messages", {
      params: {
        path: { user_id: userId, conversation_id: conversationId },
        query: { limit: pageSize, ...(before && { before }) },
      },
      ...(signal && { signal }),
    }),
  );
}

export function messagesOf(page: MessagePage): ChatMessage[] {
  return page.items.map((item) => fromHistory(item, page.conversation_id));
}

/** How long an answer may take; the server gives up a little earlier. */
export const longestAnswer = 100_000;
const firstPause = 800;
const longestPause = 5_000;

/**
 * Asks the history until it has the answer to a message, and returns the messages then; null if it has none after
 * longestAnswer. Errors that may pass are waited out. `pause` waits, and rejects when the waiting is over.
 */
export async function answerTo(
  messageId: string,
  load: () => Promise<ChatMessage[]>,
  pause: (milliseconds: number) => Promise<void>,
): Promise<ChatMessage[] | null> {
  let next = firstPause;
  for (let waited = 0; waited < longestAnswer; waited += next, next = Math.min(next * 1.5, longestPause)) {
    try {
      const messages = await load();
      if (messages.some((m) => isFinished(m) && m.metadata?.message_id === messageId)) return messages;
    } catch (error) {
      if (!(error instanceof ApiError && error.passing)) throw error;
    }
    await pause(next);
  }
  return null;
}

/** Waits. Rejects with the signal's reason when that is aborted. */
export function pauseUntil(signal: AbortSignal): (milliseconds: number) => Promise<void> {
  return (milliseconds) =>
    new Promise((resolve, reject) => {
      signal.throwIfAborted();
      const stop = () => {
        clearTimeout(timer);
        reject(signal.reason);
      };
      const timer = setTimeout(() => {
        signal.removeEventListener("abort", stop);
        resolve();
      }, milliseconds);
      signal.addEventListener("abort", stop, { once: true });
    });
}
