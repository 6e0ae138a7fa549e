"use client";

import { Tooltip } from "@/components/ui/tooltip";
import { cn } from "@/lib/cn";

import { useLive } from "./use-live";

type Look = { text: string; why: string; dot: string };

function lookOf(state: ReturnType<typeof useLive>["state"], reconnecting: boolean): Look {
  switch (state) {
    case "live":
      return { text: "Live", why: "Changes made elsewhere show here at once.", dot: "bg-ok" };
    case "connecting":
      return reconnecting
        ? {
            text: "Reconnecting…",
            why: "The connection was lost. What happens meanwhile will be caught up with. Press to try now.",
            dot: "bg-warn motion-safe:animate-pulse",
          }
        : {
            text: "Connecting…",
            why: "Changes made elsewhere will show at once in a moment.",
            dot: "bg-warn motion-safe:animate-pulse",
          };
    case "polling":
      return {
        text: "Checking every 30 s",
        why: "Live updates are not available. This page asks for changes every 30 s. Press to ask now.",
        dot: "bg-warn",
      };
    case "offline":
      return {
        text: "Offline",
        why: "The server cannot be reached. What you see may be old. Press to try now.",
        dot: "bg-danger",
      };
  }
}

/** How the page hears of changes: a quiet dot with a word. Pressed, it finds out at once. */
export function Connection() {
  const { state, reconnecting, wake } = useLive();
  const { text, why, dot } = lookOf(state, reconnecting);
  return (
    <div role="status" aria-label="Connection">
      <Tooltip text={<span className="max-w-64">{why}</span>}>
        <button
          type="button"
          onClick={wake}
          className={cn(
            "flex h-8 min-w-8 cursor-pointer items-center justify-center gap-2 rounded-lg px-2 text-xs text-muted hover:bg-sunken",
            state === "offline" && "text-danger",
          )}
        >
          <span aria-hidden className={cn("size-2 shrink-0 rounded-full", dot)} />
          <span className="max-sm:sr-only">{text}</span>
        </button>
      </Tooltip>
    </div>
  );
}
