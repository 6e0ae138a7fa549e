"use client";

import dynamic from "next/dynamic";

import { Skeleton } from "@/components/ui/skeleton";

// The chat's library is as large as half of the rest; pages without a chat do not load it.
const ChatPage = dynamic(() => import("./chat-page").then((m) => m.ChatPage), {
  ssr: false,
  loading: () => (
    <div role="status" aria-label="Loading the chat" className="grid flex-1 content-start gap-3 p-4">
      <Skeleton className="h-10" />
      <Skeleton className="h-40" />
    </div>
  ),
});

export function ChatView() {
  return (
    // As high as the window without the head of the page, so that only what was said scrolls.
    <div className="flex h-[calc(100dvh-3.75rem)] min-h-80 flex-col">
      <ChatPage />
    </div>
  );
}
