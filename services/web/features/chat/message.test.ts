import { describe, expect, it } from "vitest";

import {
  type ChatMessage,
  conversationOf,
  fromHistory,
  hasGap,
  isFinished,
  merged,
  preceded,
  textOf,
  unanswered,
  userMessage,
} from "./message";
import { read } from "./recorded.testing";

const conversation = "0192f0c1-0000-7000-8000-000000000001";

function said(id: string): ChatMessage {
  return userMessage(id, id, conversation);
}

function answered(id: string, to: string): ChatMessage {
  return fromHistory(
    { id, role: "assistant", text: id, in_reply_to: to, created_at: "2026-11-22T09:00:00Z" },
    conversation,
  );
}

const ids = (messages: readonly ChatMessage[]) => messages.map((m) => m.id).join(" ");

describe("a recorded stream", () => {
  it("is text with its line breaks, the steps' texts as paragraphs", async () => {
    const { last } = await read("words");
    expect(textOf(last)).toBe('Hello,\nAnn. \n\nA "second" part\u2028\ufffd\n\ndata: [DONE]\n\n<b>');
  });

  it("names its conversation from its first part on", async () => {
    const { states } = await read("tools");
    expect(states.map((s) => conversationOf([s]))).toEqual(states.map(() => conversation));
  });

  it("is finished with its end and not before", async () => {
    const { states } = await read("tools");
    expect(states.map(isFinished)).toEqual(states.map((_, i) => i === states.length - 1));
  });

  it.each(["approval", "an_answer_given_before", "a_step_that_was_never_ended"])(
    "%s is finished",
    async (name) => {
      const { last, error } = await read(name);
      expect(isFinished(last)).toBe(true);
      expect(error).toBeNull();
    },
  );

  it("that fails in the middle is an unfinished answer and the server's sentence", async () => {
    const { last, error } = await read("an_error_in_the_middle");
    expect(textOf(last)).toBe("I was ab");
    expect(error?.message).toBe("The model does not answer.");
    const question = said("q");
    expect(unanswered([question, last])).toBe(question);
  });

  it("and the history's form of the same answer are one message", async () => {
    const { last } = await read("an_answer_given_before");
    const stored = { ...answered("x", "q"), id: last.id };
    expect(merged([said("q"), last], [said("q"), stored])).toEqual([said("q"), stored]);
  });
});

describe("what is unanswered", () => {
  it("is nothing in an empty conversation", () => expect(unanswered([])).toBeNull());
  it("is nothing after a finished answer", () =>
    expect(unanswered([said("q"), answered("a", "q")])).toBeNull());
  it("is the last thing said without one", () =>
    expect(unanswered([said("q"), answered("a", "q"), said("r")])?.id).toBe("r"));
});

describe("a gap", () => {
  it("is a message before the last one that has no answer here", () => {
    expect(hasGap([said("q"), said("r"), answered("b", "r")])).toBe(true);
    expect(hasGap([said("q"), answered("a", "q"), said("r")])).toBe(false);
  });
});

describe("the history", () => {
  it("fills what was missed in the order it was said", () => {
    const now = [said("q"), said("r"), answered("b", "r")];
    const page = [said("q"), answered("a", "q"), said("r"), answered("b", "r")];
    expect(ids(merged(now, page))).toBe("q a r b");
  });

  it("takes nothing away: older messages stay in front, what is being said stays last", () => {
    const now = [said("o"), answered("p", "o"), said("q"), said("new")];
    expect(ids(merged(now, [said("q"), answered("a", "q")]))).toBe("o p q a new");
  });

  it("of which nothing is here yet comes after what is here", () => {
    expect(ids(merged([], [said("q")]))).toBe("q");
  });

  it("read backwards is put in front, once", () => {
    expect(ids(preceded([said("q")], [said("o"), said("q")]))).toBe("o q");
  });

  it("marks the rules that stand in for a model", () => {
    const form = (model: string) =>
      fromHistory({ id: "a", role: "assistant", text: "", model, created_at: "" }, conversation).metadata
        ?.model;
    expect(form("taskflow-offline")).toEqual({ name: "taskflow-offline", offline: true });
    expect(form("gpt-6-luna")).toEqual({ name: "gpt-6-luna", offline: false });
  });
});
