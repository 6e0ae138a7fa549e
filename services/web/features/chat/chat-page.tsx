"use client";

import { ChatBody } from "./chat-body";
import { useAddressedConversation } from "./current";

/** The chat as a page of its own. */
export function ChatPage() {
  return <ChatBody current={useAddressedConversation()} heading="h1" wide />;
}
