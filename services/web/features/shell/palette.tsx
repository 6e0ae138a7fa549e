"use client";

import { Command } from "cmdk";
import { Keyboard, MessageSquareText, Moon, Plus, Search, SquareCheck, Sun } from "lucide-react";
import { useRouter } from "next/navigation";
import { Dialog as Radix } from "radix-ui";
import { type ReactNode, useMemo, useState } from "react";

import { Kbd } from "@/components/ui/kbd";
import { useOpenTask } from "@/features/tasks/open-task";
import { matches, noFilters, sorted } from "@/features/tasks/select";
import { useOpenTasks } from "@/features/tasks/use-tasks";
import { switchTheme, useDark } from "@/lib/switch-theme";
import { formatDue } from "@/lib/time/due";
import { useNow } from "@/lib/time/use-now";
import { useZone } from "@/lib/time/zone";

import { destinations } from "./destinations";
import { keyCaps } from "./keys";
import { useApple } from "./shortcuts-dialog";
import { useChatPanel } from "./use-panel";

/** As many tasks as one reads through. */
const most = 8;

/** Everything by name: pages, what can be done, and the open tasks. */
export default function Palette(props: { onClose: () => void; onOpen: (what: "add" | "shortcuts") => void }) {
  const [text, setText] = useState("");
  const { tasks } = useOpenTasks();
  const router = useRouter();
  const openTask = useOpenTask();
  const zone = useZone();
  const now = useNow();
  const apple = useApple();
  const dark = useDark();
  const [chat, setChat] = useChatPanel();

  const found = useMemo(() => {
    const q = text.trim();
    if (!q) return [];
    return sorted(
      tasks.filter((t) => matches(t, { ...noFilters, q })),
      "due",
      zone,
    ).slice(0, most);
  }, [tasks, text, zone]);

  const then = (act: () => void) => () => {
    props.onClose();
    act();
  };
  return (
    <Radix.Root open onOpenChange={props.onClose}>
      <Radix.Portal>
        <Radix.Overlay className="fixed inset-0 z-40 bg-black/40" />
        <Radix.Content
          aria-describedby={undefined}
          className="fixed top-4 left-1/2 z-50 w-[min(36rem,calc(100vw-2rem))] -translate-x-1/2 overflow-hidden rounded-2xl border border-line bg-raised shadow-pop sm:top-[15vh]"
        >
          <Radix.Title className="sr-only">Commands</Radix.Title>
          <Command label="Commands" loop>
            <div className="flex items-center gap-3 border-b border-line px-4">
              <Search aria-hidden className="size-4 shrink-0 text-muted" />
              <Command.Input
                value={text}
                onValueChange={setText}
                placeholder="Go somewhere, do something, find a task"
                className="h-13 w-full bg-transparent text-base outline-none placeholder:text-muted sm:text-sm"
              />
              <Kbd>Esc</Kbd>
            </div>
            <Command.List className="max-h-[min(24rem,60dvh)] scroll-py-2 overflow-y-auto p-2 [&_[cmdk-group-heading]]:px-3 [&_[cmdk-group-heading]]:pt-3 [&_[cmdk-group-heading]]:pb-1 [&_[cmdk-group-heading]]:text-xs [&_[cmdk-group-heading]]:text-muted">
              {found.length > 0 && (
                <Command.Group heading="Tasks">
                  {found.map((task) => (
                    <Item
                      key={task.id}
                      value={`${task.title} ${task.description} ${task.tags.join(" ")} ${task.id}`}
                      icon={<SquareCheck />}
                      onSelect={then(() => openTask(task.id))}
                      hint={formatDue(task.due_date, zone, now)}
                    >
                      {task.title}
                    </Item>
                  ))}
                </Command.Group>
              )}
              <Command.Group heading="Do">
                <Item
                  value="Add a task create new"
                  icon={<Plus />}
                  keys={keyCaps("c", apple)}
                  onSelect={() => props.onOpen("add")}
                >
                  Add a task
                </Item>
                <Item
                  value="Chat assistant ask"
                  icon={<MessageSquareText />}
                  onSelect={then(() => setChat(!chat))}
                >
                  {chat ? "Close the chat" : "Open the chat"}
                </Item>
                <Item
                  value="Theme dark light mode"
                  icon={dark ? <Sun /> : <Moon />}
                  onSelect={then(() => switchTheme(dark ? "light" : "dark"))}
                >
                  {dark ? "Use the light theme" : "Use the dark theme"}
                </Item>
                <Item
                  value="Keyboard shortcuts keys help"
                  icon={<Keyboard />}
                  keys={keyCaps("?", apple)}
                  onSelect={() => props.onOpen("shortcuts")}
                >
                  Keyboard shortcuts
                </Item>
              </Command.Group>
              <Command.Group heading="Go to">
                {destinations.map((to) => (
                  <Item
                    key={to.href}
                    value={`Go to ${to.name}`}
                    icon={<to.icon />}
                    keys={to.keys ? keyCaps(to.keys, apple) : []}
                    onSelect={then(() => router.push(to.href))}
                  >
                    {to.name}
                  </Item>
                ))}
              </Command.Group>
              {text.trim() !== "" && (
                // There whatever is typed, and last: what is called so comes first.
                <Command.Group heading="Search" forceMount>
                  <Item
                    value="Search all tasks"
                    forceMount
                    icon={<Search />}
                    onSelect={then(() => router.push(`/all?q=${encodeURIComponent(text.trim())}`))}
                  >
                    Search all tasks for “{text.trim()}”
                  </Item>
                </Command.Group>
              )}
            </Command.List>
          </Command>
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}

function Item(props: {
  value: string;
  icon: ReactNode;
  children: ReactNode;
  hint?: string;
  forceMount?: boolean;
  keys?: string[];
  onSelect: () => void;
}) {
  return (
    <Command.Item
      value={props.value}
      forceMount={props.forceMount}
      onSelect={props.onSelect}
      className="flex h-10 cursor-pointer items-center gap-3 rounded-lg px-3 text-sm select-none data-[selected=true]:bg-accent-soft data-[selected=true]:text-accent [&_svg]:size-4 [&_svg]:shrink-0 [&_svg]:text-muted"
    >
      {props.icon}
      <span className="min-w-0 flex-1 truncate">{props.children}</span>
      {props.hint && <span className="shrink-0 text-xs text-muted">{props.hint}</span>}
      {props.keys && props.keys.length > 0 && (
        <span className="flex shrink-0 gap-1">
          {props.keys.map((cap, i) => (
            <Kbd key={i}>{cap}</Kbd>
          ))}
        </span>
      )}
    </Command.Item>
  );
}
