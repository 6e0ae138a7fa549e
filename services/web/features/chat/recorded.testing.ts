import { readFileSync } from "node:fs";
import path from "node:path";

import { DefaultChatTransport, type UIMessageChunk, readUIMessageStream } from "ai";

import type { ChatMessage } from "./message";

// What the chat agent sends, as its own tests keep it.
const recordings = path.resolve(import.meta.dirname, "../../../chat-agent/internal/uistream/testdata");

/** A stream of the chat agent as it was recorded. */
export function recording(name: string): string {
  return readFileSync(path.join(recordings, `${name}.sse`), "utf8");
}

/** The forms a message takes while a recorded stream is read with the parser of the AI SDK, and the error it ends with. */
export async function read(
  name: string,
): Promise<{ states: ChatMessage[]; last: ChatMessage; error: Error | null }> {
  const stream = await new DefaultChatTransport<ChatMessage>({
    fetch: async () => new Response(recording(name), { headers: { "Content-Type": "text/event-stream" } }),
  }).sendMessages({
    trigger: "submit-message",
    chatId: "c",
    messageId: undefined,
    messages: [],
    abortSignal: undefined,
  });
  let error: Error | null = null;
  const states: ChatMessage[] = [];
  const reading = readUIMessageStream<ChatMessage>({
    stream: stream as ReadableStream<UIMessageChunk>,
    onError: (e) => {
      error = e instanceof Error ? e : new Error(String(e));
    },
  });
  for await (const state of reading) states.push(structuredClone(state));
  const last = states.at(-1);
  if (!last) throw new Error(`${name} has no message`);
  return { states, last, error };
}
