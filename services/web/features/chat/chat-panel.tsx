"use client";

import { Maximize2, X } from "lucide-react";
import Link from "next/link";
import type { KeyboardEvent } from "react";

import { Button } from "@/components/ui/button";
import { Tooltip } from "@/components/ui/tooltip";
import { useUser } from "@/lib/user";

import { ChatBody } from "./chat-body";
import { useStoredConversation } from "./current";

/** The chat beside a page, which gives it its place. */
export function ChatPanel({ onClose }: { onClose: () => void }) {
  const current = useStoredConversation(useUser().id);

  function key(event: KeyboardEvent) {
    // Escape that closed something in the panel, or ended a composition, is not meant for the panel.
    if (event.key === "Escape" && !event.defaultPrevented && !event.nativeEvent.isComposing) onClose();
  }

  return (
    <aside aria-label="Chat" onKeyDown={key} className="flex h-full min-h-0 flex-col bg-surface">
      <ChatBody current={current} heading="h2">
        <Tooltip text="Open as a page">
          <Button asChild look="ghost" size="icon" className="max-sm:hidden">
            <Link
              href={current.id ? `/chat?conversation=${current.id}` : "/chat"}
              aria-label="Open as a page"
              onClick={onClose}
            >
              <Maximize2 aria-hidden />
            </Link>
          </Button>
        </Tooltip>
        <Tooltip text="Close" keys="Esc">
          <Button look="ghost" size="icon" aria-label="Close the chat" onClick={onClose}>
            <X aria-hidden />
          </Button>
        </Tooltip>
      </ChatBody>
    </aside>
  );
}
