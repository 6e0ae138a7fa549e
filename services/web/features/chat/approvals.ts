import type { ApiError } from "@/lib/api/problem";

import { type Approval, type ChatMessage, textOf } from "./message";

/** What became of an approval. `gone` is one that the server does not have any more or that is decided otherwise. */
export type Decided = "approved" | "denied";

/** What this page did about an approval, besides what the conversation tells. */
export type Deed =
  { is: "deciding"; approve: boolean } | { is: "failed"; why: string } | { is: "gone"; why: string };

export type ApprovalState =
  | { is: "open"; seconds: number; why?: string }
  | { is: "deciding"; approve: boolean }
  | { is: "approved" | "denied" | "expired" }
  | { is: "gone"; why: string };

// The words the server puts into a conversation when an approval is decided with its buttons.
const approvedWord = "Approved: ";
const declinedWord = "Declined: ";

/** The message that the server keeps for a decision. */
export function decisionText(approval: Approval, approve: boolean): string {
  return `${approve ? approvedWord : declinedWord}${approval.summary}.`;
}

/** All that these messages ask the user to agree to. */
export function approvalsIn(messages: readonly ChatMessage[]): Approval[] {
  return messages.flatMap((m) => m.metadata?.approvals ?? []);
}

/** Which approval a message of the user decides, and how; null if it is no such message. */
export function decisionIn(
  message: ChatMessage,
  messages: readonly ChatMessage[],
): { approval: Approval; approve: boolean } | null {
  const text = textOf(message);
  if (!text.startsWith(approvedWord) && !text.startsWith(declinedWord)) return null;
  const approve = text.startsWith(approvedWord);
  const approval = approvalsIn(messages).find((a) => decisionText(a, approve) === text);
  return approval ? { approval, approve } : null;
}

/**
 * What the conversation tells about its approvals: a message that decides one, or the answer to a plain yes or no. What it
 * does not tell the server still knows; deciding twice does nothing twice.
 */
export function decidedIn(messages: readonly ChatMessage[]): ReadonlyMap<string, Decided> {
  const decided = new Map<string, Decided>();
  messages.forEach((asking, at) => {
    for (const approval of asking.metadata?.approvals ?? []) {
      const later = messages.slice(at + 1);
      const button = later.find((m) => m.role === "user" && decisionIn(m, [asking])?.approval === approval);
      const answer = later.find((m) => m.role === "assistant");
      if (button) {
        decided.set(approval.id, decisionIn(button, [asking])?.approve ? "approved" : "denied");
      } else if (answer && textOf(answer).includes(decisionText(approval, false))) {
        decided.set(approval.id, "denied");
      } else if (
        answer?.metadata?.tool_calls?.some((r) => r.tool === approval.tool && r.outcome !== "waiting") &&
        isPlain(later[0])
      ) {
        decided.set(approval.id, "approved");
      }
    }
  });
  return decided;
}

/** Whether a message is short enough to be nothing but a yes; longer ones decide nothing. */
function isPlain(message: ChatMessage | undefined): boolean {
  return message?.role === "user" && textOf(message).trim().length <= 16;
}

/** How an approval is shown. */
export function approvalState(
  approval: Approval,
  decided: Decided | undefined,
  deed: Deed | undefined,
  now: Date,
): ApprovalState {
  if (decided) return { is: decided };
  if (deed?.is === "deciding" || deed?.is === "gone") return deed;
  const seconds = Math.ceil((Date.parse(approval.expires_at) - now.getTime()) / 1000);
  if (!(seconds > 0)) return { is: "expired" };
  return { is: "open", seconds, ...(deed && { why: deed.why }) };
}

/** Why a decision was not taken, and whether it can be tried again. */
export function refused(error: ApiError): Deed {
  const final = error.status === 404 || error.status === 409 || error.status === 422;
  return { is: final ? "gone" : "failed", why: error.message };
}

/** "9:05" */
export function clock(seconds: number): string {
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}
