"use client";

import { ChatKit, useChatKit } from "@openai/chatkit-react";
import { useEffect, useState, useSyncExternalStore } from "react";

import { Button } from "@/components/ui/button";
import { Empty } from "@/components/ui/empty";
import { Skeleton } from "@/components/ui/skeleton";
import { useUser } from "@/lib/user";

import { chatKitOptions } from "./chatkit";

const program = "https://cdn.platform.openai.com/deployments/chatkit/chatkit.js";

/**
 * OpenAI's ChatKit in the place of our chat. Its program is loaded from OpenAI, runs in a frame of theirs, has no version
 * and cannot run without a network, so no test of ours runs it: its options are checked by types and the address it speaks
 * to by recorded conversations. What it cannot show, such as approval cards, the agent says in words.
 */
export function ChatKitPanel({ domainKey }: { domainKey: string }) {
  const [state, again] = useProgram();
  if (state === "loading") {
    return (
      <div role="status" aria-label="Loading the chat" className="flex-1 p-4">
        <Skeleton className="h-full" />
      </div>
    );
  }
  if (state === "failed") {
    return (
      <div className="grid flex-1 content-center">
        <Empty
          role="alert"
          title="ChatKit cannot be loaded"
          action={<Button onClick={again}>Try again</Button>}
        >
          It comes from cdn.platform.openai.com, which does not answer or is blocked.
        </Empty>
      </div>
    );
  }
  return <Kit domainKey={domainKey} />;
}

function Kit({ domainKey }: { domainKey: string }) {
  const user = useUser();
  const { control } = useChatKit(chatKitOptions(user.id, domainKey, useColorScheme()));
  return <ChatKit control={control} className="block min-h-0 w-full flex-1" />;
}

type Loading = "loading" | "failed" | "ready";

/** Loads the program once for the page. */
function useProgram(): [Loading, () => void] {
  const [state, setState] = useState<Loading>(() => (isThere() ? "ready" : "loading"));
  const [tries, setTries] = useState(0);
  useEffect(() => {
    if (isThere()) return;
    const script = document.createElement("script");
    script.src = program;
    script.async = true;
    script.onload = () => setState("ready");
    script.onerror = () => setState("failed");
    document.head.append(script);
    return () => {
      script.onload = script.onerror = null;
      script.remove();
    };
  }, [tries]);
  function again() {
    setState("loading");
    setTries((n) => n + 1);
  }
  return [state, again];
}

function isThere(): boolean {
  return customElements.get("openai-chatkit") !== undefined;
}

/** Whether our page is shown light or dark: as its class says, or as the system is. */
function useColorScheme(): "light" | "dark" {
  return useSyncExternalStore(subscribe, scheme, () => "light" as const);
}

const systemDark = "(prefers-color-scheme: dark)";

function scheme(): "light" | "dark" {
  const { classList } = document.documentElement;
  if (classList.contains("dark")) return "dark";
  return !classList.contains("light") && matchMedia(systemDark).matches ? "dark" : "light";
}

function subscribe(changed: () => void): () => void {
  const system = matchMedia(systemDark);
  const own = new MutationObserver(changed);
  system.addEventListener("change", changed);
  own.observe(document.documentElement, { attributeFilter: ["class"] });
  return () => {
    system.removeEventListener("change", changed);
    own.disconnect();
  };
}
