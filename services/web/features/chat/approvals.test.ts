import { describe, expect, it } from "vitest";

import { ApiError } from "@/lib/api/problem";

import { approvalState, approvalsIn, clock, decidedIn, decisionIn, decisionText, refused } from "./approvals";
import { type Approval, type ChatMessage, fromHistory, userMessage } from "./message";
import { read } from "./recorded.testing";

const asked: Approval = {
  id: "0192f0c1-0000-7000-8000-000000000009",
  tool: "delete_tasks",
  summary: "Delete 1 task",
  tasks: ["Buy milk"],
  expires_at: "2026-11-22T09:10:00Z",
};

function assistant(text: string, more: object = {}): ChatMessage {
  return fromHistory({ id: `a ${text}`, role: "assistant", text, created_at: "", ...more }, "c");
}

const asking = assistant("Shall I?", { approvals: [asked] });
const at = (time: string) => new Date(`2026-11-22T${time}Z`);

describe("an approval", () => {
  it("comes with the end of a recorded stream", async () => {
    const { states, last } = await read("approval");
    expect(approvalsIn(states.slice(0, -1))).toEqual([]);
    expect(approvalsIn([last])).toEqual([{ ...asked, summary: "Delete 1 task." }]);
  });

  it("counts down and runs out", () => {
    expect(approvalState(asked, undefined, undefined, at("09:00:00"))).toEqual({ is: "open", seconds: 600 });
    expect(approvalState(asked, undefined, undefined, at("09:09:59.500"))).toEqual({
      is: "open",
      seconds: 1,
    });
    expect(approvalState(asked, undefined, undefined, at("09:10:00"))).toEqual({ is: "expired" });
  });

  it("of which nobody knows when it runs out is not offered", () => {
    expect(approvalState({ ...asked, expires_at: "" }, undefined, undefined, at("09:00:00"))).toEqual({
      is: "expired",
    });
  });

  it("cannot be pressed while it is decided, and keeps why that failed", () => {
    const now = at("09:00:00");
    expect(approvalState(asked, undefined, { is: "deciding", approve: true }, now).is).toBe("deciding");
    const failed = refused(new ApiError({ status: 503, detail: "Nobody knows yet." }));
    expect(approvalState(asked, undefined, failed, now)).toEqual({
      is: "open",
      seconds: 600,
      why: "Nobody knows yet.",
    });
  });

  it.each([404, 409])("that the server refuses with %s is over, with the reason", (status) => {
    const deed = refused(new ApiError({ status, detail: "This was approved already." }));
    expect(approvalState(asked, undefined, deed, at("09:00:00"))).toEqual({
      is: "gone",
      why: "This was approved already.",
    });
  });

  it("that the conversation decided stays decided when its time is over", () => {
    expect(approvalState(asked, "approved", undefined, at("10:00:00"))).toEqual({ is: "approved" });
  });
});

describe("the conversation tells that an approval was", () => {
  const decided = (...messages: ChatMessage[]) => decidedIn([asking, ...messages]).get(asked.id);
  const done = { receipts: [{ tool: "delete_tasks", outcome: "done" }] };

  it("approved with the button", () => {
    expect(decided(userMessage("d", decisionText(asked, true), "c"), assistant("Done.", done))).toBe(
      "approved",
    );
  });

  it("denied with the button", () => {
    expect(decided(userMessage("d", decisionText(asked, false), "c"))).toBe("denied");
  });

  it("approved with a plain yes", () => {
    expect(decided(userMessage("d", "yes", "c"), assistant("Done.", done))).toBe("approved");
  });

  it("denied with a plain no", () => {
    const answer = assistant(`${decisionText(asked, false)} Nothing was changed.`);
    expect(decided(userMessage("d", "no", "c"), answer)).toBe("denied");
  });

  it("not decided by anything else", () => {
    expect(decided()).toBeUndefined();
    expect(decided(userMessage("d", "what is due?", "c"), assistant("Nothing."))).toBeUndefined();
    expect(
      decided(userMessage("d", "delete the other one, too", "c"), assistant("Done.", done)),
    ).toBeUndefined();
  });
});

describe("a message of the user", () => {
  it("that is a decision names its approval, so that it is decided again and not said again", () => {
    const decision = userMessage("d", decisionText(asked, true), "c");
    expect(decisionIn(decision, [asking, decision])).toEqual({ approval: asked, approve: true });
    const other = userMessage("d", "Approved: something else.", "c");
    expect(decisionIn(other, [asking, other])).toBeNull();
  });
});

it("shows seconds as a clock", () => {
  expect([600, 65, 9, 0].map(clock)).toEqual(["10:00", "1:05", "0:09", "0:00"]);
});
