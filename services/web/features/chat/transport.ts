import { DefaultChatTransport } from "ai";

import { ApiError, problemOf } from "@/lib/api/problem";
import { renewed } from "@/lib/api/renew";

import { type ChatMessage, conversationOf, textOf } from "./message";
import { ConnectionLost } from "./trouble";

/** What is sent: the last thing the user said. The server knows what was said before. */
export function requestOf(messages: readonly ChatMessage[]): {
  message: string;
  message_id: string;
  conversation_id?: string;
} {
  const said = messages.findLast((m) => m.role === "user");
  if (!said) throw new Error("there is no message to send");
  const conversation = conversationOf(messages);
  return {
    message: textOf(said),
    // The same message has the same name however often it is sent, so nothing is done twice.
    message_id: said.id,
    ...(conversation && { conversation_id: conversation }),
  };
}

/** A new message's name. */
export function newId(): string {
  if (typeof crypto.randomUUID === "function") return crypto.randomUUID();
  // Where the page is served without TLS from another host than localhost there is no randomUUID.
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

/** Sends messages to the chat of a user and reads the answers while they are made. */
export function transportFor(userId: string): DefaultChatTransport<ChatMessage> {
  return new DefaultChatTransport<ChatMessage>({
    api: `/api/${encodeURIComponent(userId)}/chat`,
    credentials: "same-origin",
    headers: { Accept: "text/event-stream" },
    prepareSendMessagesRequest: ({ messages }) => ({ body: requestOf(messages) }),
    fetch: asked,
  });
}

/** fetch, but every answer that is none is an ApiError, an expired token is renewed once, and a cut is told as such. */
export async function asked(input: RequestInfo | URL, init?: RequestInit): Promise<Response> {
  let response = await reached(input, init);
  if (response.status === 401 && (await renewed())) response = await reached(input, init);
  if (!response.ok) throw problemOf(response, await response.json().catch(() => undefined));
  if (!response.headers.get("Content-Type")?.startsWith("text/event-stream") || !response.body)
    throw new ApiError({ status: 502, detail: "The answer is not from the chat. Is a proxy in between?" });
  return new Response(whole(response.body), { status: response.status, headers: response.headers });
}

async function reached(input: RequestInfo | URL, init?: RequestInit): Promise<Response> {
  try {
    return await fetch(input, init);
  } catch (cause) {
    if (init?.signal?.aborted) throw cause;
    throw new ApiError({ status: 0, detail: "The server cannot be reached.", cause });
  }
}

const ending = "data: [DONE]";

/** A stream that is an error if it ends before its end was told: a proxy that restarts closes connections in good order. */
function whole(body: ReadableStream<Uint8Array>): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let tail = "";
  return new ReadableStream({
    async pull(controller) {
      try {
        const { done, value } = await reader.read();
        if (done) {
          if (!tail.includes(ending)) controller.error(new ConnectionLost("it ended early"));
          else controller.close();
          return;
        }
        tail = (tail + decoder.decode(value, { stream: true })).slice(-ending.length - 8);
        controller.enqueue(value);
      } catch (cause) {
        const aborted = cause instanceof DOMException && cause.name === "AbortError";
        controller.error(aborted ? cause : new ConnectionLost(cause));
      }
    },
    cancel: (reason) => reader.cancel(reason),
  });
}
