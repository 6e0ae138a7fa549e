import { History, MessageSquarePlus } from "lucide-react";
import type { ReactNode } from "react";

import { Button } from "@/components/ui/button";
import { Tooltip } from "@/components/ui/tooltip";
import { cn } from "@/lib/cn";

type Props = {
  heading: "h1" | "h2";
  listing: boolean;
  /** Undefined where the list is beside the chat. */
  onListing: (() => void) | undefined;
  onNew: () => void;
  children?: ReactNode;
};

export function ChatHeader({ heading: Heading, listing, onListing, onNew, children }: Props) {
  return (
    <header
      className={cn(
        "flex h-14 shrink-0 items-center gap-1 border-b border-line pl-4",
        onListing ? "pr-2" : "pr-4",
      )}
    >
      <Heading className="flex-1 truncate font-semibold">{listing ? "Conversations" : "Chat"}</Heading>
      {onListing && (
        <Tooltip text="Conversations">
          <Button
            look="ghost"
            size="icon"
            aria-label="Conversations"
            aria-pressed={listing}
            onClick={onListing}
            className={cn(listing && "bg-sunken")}
          >
            <History aria-hidden />
          </Button>
        </Tooltip>
      )}
      {onListing ? (
        <Tooltip text="New conversation">
          <Button look="ghost" size="icon" aria-label="New conversation" onClick={onNew}>
            <MessageSquarePlus aria-hidden />
          </Button>
        </Tooltip>
      ) : (
        <Button size="sm" onClick={onNew}>
          <MessageSquarePlus aria-hidden />
          New conversation
        </Button>
      )}
      {children}
    </header>
  );
}
