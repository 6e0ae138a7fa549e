"use client";

import dynamic from "next/dynamic";
import { useSyncExternalStore, useState, type ReactNode } from "react";

import { ChatHeader } from "./chat-header";
import { ConversationList } from "./conversation-list";
import type { Current } from "./current";
import { Opened } from "./opened";

// With a key of OpenAI's for this domain the chat is ChatKit; without one, the default, nothing is asked of another host.
const domainKey = process.env.NEXT_PUBLIC_CHATKIT_DOMAIN_KEY;

const ChatKitPanel = dynamic(() => import("./chatkit-panel").then((m) => m.ChatKitPanel), { ssr: false });

type Props = {
  current: Current;
  heading: "h1" | "h2";
  /** Whether the list of conversations may be beside the chat, where there is room. */
  wide?: boolean;
  /** What stands at the end of the head. */
  children?: ReactNode;
};

/** The chat with its head and its list of conversations. */
export function ChatBody({ current, heading, wide = false, children }: Props) {
  const [listing, setListing] = useState(false);
  const room = useRoom() && wide;

  if (domainKey) {
    return (
      <>
        <div className="flex h-14 shrink-0 items-center gap-1 border-b border-line pr-2 pl-4">
          <span className="flex-1 font-semibold">Chat</span>
          {children}
        </div>
        <ChatKitPanel domainKey={domainKey} />
      </>
    );
  }

  function open(id: string | null) {
    setListing(false);
    current.open(id);
  }

  const asList = listing && !room;
  return (
    <>
      <ChatHeader
        heading={heading}
        listing={asList}
        onListing={room ? undefined : () => setListing(!listing)}
        onNew={() => open(null)}
      >
        {children}
      </ChatHeader>
      <div className="flex min-h-0 flex-1">
        {room && (
          <div className="flex w-72 shrink-0 flex-col border-r border-line">
            <ConversationList current={current.id} onOpen={open} />
          </div>
        )}
        {asList && <ConversationList current={current.id} onOpen={open} autoFocus />}
        {/* The conversation stays while the list is looked at: an answer may be on its way, or a sentence half written. */}
        <div className={asList ? "hidden" : "flex min-h-0 min-w-0 flex-1 flex-col"}>
          <Opened current={current} />
        </div>
      </div>
    </>
  );
}

const broad = "(min-width: 64rem)";

function useRoom(): boolean {
  return useSyncExternalStore(
    (changed) => {
      const query = matchMedia(broad);
      query.addEventListener("change", changed);
      return () => query.removeEventListener("change", changed);
    },
    () => matchMedia(broad).matches,
    () => false,
  );
}
