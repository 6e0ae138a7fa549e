"use client";

import { Keyboard, MessageSquareText } from "lucide-react";
import dynamic from "next/dynamic";
import { usePathname, useRouter } from "next/navigation";
import { type ReactNode, useState } from "react";

import { Button } from "@/components/ui/button";
import { Tooltip } from "@/components/ui/tooltip";
import { AccountMenu } from "@/features/account/account-menu";
import { Connection } from "@/features/live/connection";
import { DropTray } from "@/features/tasks/drop-tray";
import { OpenedTask } from "@/features/tasks/opened-task";
import { RaisedConflict } from "@/features/tasks/raised-conflict";
import { cn } from "@/lib/cn";

import { AddTask } from "./add-task";
import { Brand } from "./brand";
import { destinations } from "./destinations";
import { Drawer } from "./drawer";
import { Navigation } from "./navigation";
import { OfflineBanner } from "./offline-banner";
import { SearchBox } from "./search-box";
import { useShortcut, useShortcutKeys } from "./shortcuts";
import { useChatPanel } from "./use-panel";

const ChatPanel = dynamic(() => import("@/features/chat/chat-panel").then((m) => m.ChatPanel), {
  ssr: false,
});
const Palette = dynamic(() => import("./palette"), { ssr: false });
const ShortcutsDialog = dynamic(() => import("./shortcuts-dialog"), { ssr: false });

/** What stands around every page of a signed-in user. */
export function AppShell({ children }: { children: ReactNode }) {
  const [chat, setChat] = useChatPanel();
  // The chat's own page has no second chat beside it.
  const beside = usePathname() !== "/chat";
  const panel = chat && beside;
  const [over, setOver] = useState<"add" | "palette" | "shortcuts" | null>(null);
  const show = (what: typeof over) => (open: boolean) => setOver(open ? what : null);

  useShortcutKeys();
  useShortcut("mod+k", "Commands", () => setOver("palette"));
  useShortcut("?", "Keyboard shortcuts", () => setOver("shortcuts"));

  return (
    <>
      <a
        href="#main"
        className="fixed top-2 left-2 z-60 -translate-y-20 rounded-lg bg-accent px-4 py-2 text-sm font-medium text-accent-ink focus:translate-y-0"
      >
        Skip to content
      </a>
      <div className="flex min-h-dvh">
        <aside
          aria-label="Sidebar"
          className="sticky top-0 hidden h-dvh w-56 shrink-0 flex-col gap-6 overflow-y-auto border-r border-line px-3 py-4 md:flex lg:w-60"
        >
          <div className="flex h-7 items-center px-2">
            <Brand />
          </div>
          <Navigation />
          <Button
            look="ghost"
            size="sm"
            className="mt-auto justify-start gap-3 px-3 font-normal text-muted"
            onClick={() => setOver("shortcuts")}
          >
            <Keyboard aria-hidden />
            Keyboard shortcuts
          </Button>
        </aside>

        {/* Where there is room, the panel stands beside the page and not over it. */}
        <div className={cn("flex min-w-0 flex-1 flex-col bg-surface", panel && "xl:mr-[26rem]")}>
          <div className="sticky top-0 z-30">
            <header className="flex h-15 items-center gap-1.5 border-b border-line bg-surface px-2 sm:gap-2 sm:px-6">
              <Drawer />
              <SearchBox />
              <div className="ml-auto flex items-center gap-1 sm:gap-2">
                <Connection />
                {beside && (
                  <Tooltip text={chat ? "Close the chat" : "Ask or tell the assistant"}>
                    <Button
                      look="ghost"
                      size="sm"
                      aria-pressed={chat}
                      onClick={() => setChat(!chat)}
                      className={cn("max-sm:w-9 max-sm:px-0", chat && "bg-accent-soft text-accent")}
                    >
                      <MessageSquareText aria-hidden />
                      <span className="max-sm:sr-only">Chat</span>
                    </Button>
                  </Tooltip>
                )}
                <AccountMenu />
              </div>
            </header>
            <OfflineBanner />
          </div>
          <main id="main" tabIndex={-1} className="min-w-0 flex-1 outline-none">
            {children}
          </main>
        </div>
      </div>

      {panel && (
        <div className="fixed inset-0 z-40 bg-surface max-xl:shadow-pop sm:left-auto sm:w-[26rem] sm:border-l sm:border-line">
          <ChatPanel onClose={() => setChat(false)} />
        </div>
      )}
      <AddTask adding={over === "add"} setAdding={show("add")} />
      <DropTray />
      <OpenedTask />
      <RaisedConflict />
      <GoTo />
      {over === "palette" && <Palette onClose={() => setOver(null)} onOpen={setOver} />}
      {over === "shortcuts" && <ShortcutsDialog onClose={() => setOver(null)} />}
    </>
  );
}

/** The shortcuts of the navigation. */
function GoTo() {
  return destinations.map(
    (to) => to.keys && <Go key={to.href} keys={to.keys} name={to.name} href={to.href} />,
  );
}

function Go({ keys, name, href }: { keys: string; name: string; href: string }) {
  const router = useRouter();
  useShortcut(keys, name, () => router.push(href), "Go to");
  return null;
}
