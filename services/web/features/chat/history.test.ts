import { describe, expect, it } from "vitest";

import { ApiError } from "@/lib/api/problem";

import { answerTo, longestAnswer, pauseUntil } from "./history";
import { type ChatMessage, fromHistory, userMessage } from "./message";

const question = userMessage("q", "add milk", "c");
const answer = fromHistory(
  { id: "a", role: "assistant", text: "Done.", in_reply_to: "q", created_at: "" },
  "c",
);

/** A history that answers with each of these in turn, and a clock that only counts. */
function waiting(...pages: (ChatMessage[] | ApiError)[]) {
  const pauses: number[] = [];
  let at = 0;
  const load = async () => {
    const page = pages[Math.min(at++, pages.length - 1)];
    if (!page || page instanceof ApiError) throw page;
    return page;
  };
  const pause = async (milliseconds: number) => void pauses.push(milliseconds);
  return { load, pause, pauses };
}

describe("waiting for an answer", () => {
  it("ends when the history has it", async () => {
    const { load, pause, pauses } = waiting([question], [question], [question, answer]);
    expect(await answerTo("q", load, pause)).toEqual([question, answer]);
    expect(pauses).toHaveLength(2);
  });

  it("is not fooled by the answer to another message", async () => {
    const other = { ...answer, metadata: { conversation_id: "c", message_id: "p", tool_calls: [] } };
    const { load, pause, pauses } = waiting([other, question]);
    expect(await answerTo("q", load, pause)).toBeNull();
    expect(pauses.reduce((a, b) => a + b)).toBeLessThan(longestAnswer + 10_000);
    expect(pauses.length).toBeLessThan(30);
  });

  it("outlasts a server that is away for a moment", async () => {
    const { load, pause } = waiting(new ApiError({ status: 503, detail: "" }), [question, answer]);
    expect(await answerTo("q", load, pause)).toEqual([question, answer]);
  });

  it("ends with what does not pass", async () => {
    const { load, pause } = waiting(new ApiError({ status: 404, detail: "There is no such conversation." }));
    await expect(answerTo("q", load, pause)).rejects.toThrow("There is no such conversation.");
  });

  it("ends when nobody waits any more", async () => {
    const over = new AbortController();
    const { load } = waiting([question]);
    const result = answerTo("q", load, pauseUntil(over.signal));
    over.abort();
    await expect(result).rejects.toMatchObject({ name: "AbortError" });
  });
});
