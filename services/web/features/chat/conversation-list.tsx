"use client";

import { useInfiniteQuery } from "@tanstack/react-query";
import { MessagesSquare, Search } from "lucide-react";
import { useEffect, useState } from "react";

import { Button } from "@/components/ui/button";
import { Empty } from "@/components/ui/empty";
import { Input } from "@/components/ui/input";
import { Skeleton } from "@/components/ui/skeleton";
import { chatApi, must } from "@/lib/api/client";
import { cn } from "@/lib/cn";
import { useNow } from "@/lib/time/use-now";
import { useUser } from "@/lib/user";

import type { Conversation } from "./message";
import { ago, found } from "./words";

const pageSize = 20;
/** As long as this nothing is typed until it is searched, in milliseconds. */
const settling = 250;
/** Longer searches are refused. */
const longestSearch = 200;

type Props = { current: string | null; onOpen: (id: string) => void; autoFocus?: boolean };

/** The user's conversations, the last used first; or those in which words occur. */
export function ConversationList({ current, onOpen, autoFocus }: Props) {
  const user = useUser();
  const now = useNow();
  const [typed, setTyped] = useState("");
  const search = useSettled(typed.trim());
  const { data, error, isPending, refetch, hasNextPage, fetchNextPage, isFetchingNextPage } =
    useInfiniteQuery({
      queryKey: ["conversations", user.id, search],
      queryFn: ({ pageParam, signal }) =>
        must(
          chatApi.GET("/api/{user_id}/conversations", {
            params: {
              path: { user_id: user.id },
              query: {
                limit: pageSize,
                ...(search && { q: search }),
                ...(pageParam && { cursor: pageParam }),
              },
            },
            signal,
          }),
        ),
      initialPageParam: "",
      getNextPageParam: (page) => page.next_cursor,
    });
  const pages = data?.pages ?? [];
  const items = unique(pages.flatMap((page) => page.items));
  const zone = pages[0]?.time_zone ?? "UTC";

  return (
    <div className="flex min-h-0 flex-1 flex-col">
      <div className="relative p-3">
        <Search
          aria-hidden
          className="pointer-events-none absolute top-1/2 left-6 size-4 -translate-y-1/2 text-muted"
        />
        <Input
          type="search"
          aria-label="Search conversations"
          placeholder="Search conversations"
          autoComplete="off"
          maxLength={longestSearch}
          // The user asked for this list just now.
          autoFocus={autoFocus}
          value={typed}
          onChange={(event) => setTyped(event.target.value)}
          onKeyDown={(event) => {
            // It empties the field; without a text it closes what the list is in.
            if (event.key === "Escape" && typed !== "") event.stopPropagation();
          }}
          className="pl-9"
        />
      </div>
      <div className="min-h-0 flex-1 overflow-y-auto px-2 pb-3">
        {isPending && (
          <div role="status" aria-label="Loading conversations" className="grid gap-2 p-1">
            {[0, 1, 2, 3].map((i) => (
              <Skeleton key={i} className="h-14" />
            ))}
          </div>
        )}
        {error && items.length === 0 && (
          <Empty
            role="alert"
            title="Conversations cannot be shown"
            action={<Button onClick={() => void refetch()}>Try again</Button>}
          >
            {error.message}
          </Empty>
        )}
        {!isPending && !error && items.length === 0 && (
          <Empty icon={<MessagesSquare />} title={search ? "Nothing was found" : "No conversations yet"}>
            {search
              ? "Whole words are searched in everything that was said."
              : "What you say in the chat is kept here."}
          </Empty>
        )}
        <ul className="grid gap-0.5">
          {items.map((item) => (
            <li key={item.id}>
              <Row
                item={item}
                search={search}
                when={ago(item.updated_at, zone, now)}
                current={item.id === current}
                onOpen={() => onOpen(item.id)}
              />
            </li>
          ))}
        </ul>
        {hasNextPage && (
          <div className="grid p-2">
            <Button size="sm" look="ghost" busy={isFetchingNextPage} onClick={() => void fetchNextPage()}>
              Show more
            </Button>
          </div>
        )}
      </div>
    </div>
  );
}

function Row(props: {
  item: Conversation;
  search: string;
  when: string;
  current: boolean;
  onOpen: () => void;
}) {
  const { item, search } = props;
  return (
    <button
      type="button"
      aria-current={props.current ? "true" : undefined}
      onClick={props.onOpen}
      className={cn(
        "grid w-full cursor-pointer gap-0.5 rounded-lg px-2.5 py-2 text-left hover:bg-sunken",
        props.current && "bg-sunken",
      )}
    >
      <span className="flex items-baseline gap-2">
        <span className="min-w-0 flex-1 truncate text-sm font-medium">{item.title || "Untitled"}</span>
        <time dateTime={item.updated_at} className="shrink-0 text-xs text-muted tabular-nums">
          {props.when}
        </time>
      </span>
      {search && item.snippet ? (
        <span className="line-clamp-2 text-xs break-words text-muted">
          {found(item.snippet, search).map((piece, i) =>
            piece.hit ? (
              <mark key={i} className="rounded-xs bg-accent-soft text-ink">
                {piece.text}
              </mark>
            ) : (
              piece.text
            ),
          )}
        </span>
      ) : (
        <span className="text-xs text-muted">
          {item.messages} {item.messages === 1 ? "message" : "messages"}
        </span>
      )}
    </button>
  );
}

/** The last used come first, so one that is used while pages are read may be on two of them. */
function unique(items: readonly Conversation[]): Conversation[] {
  return [...new Map(items.map((item) => [item.id, item])).values()];
}

/** A value once it has not changed for a moment; nothing is at once. */
function useSettled(value: string): string {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), value === "" ? 0 : settling);
    return () => clearTimeout(timer);
  }, [value]);
  return settled;
}
