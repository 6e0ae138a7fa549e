"use client";

import { Search, X } from "lucide-react";
import { usePathname, useRouter, useSearchParams } from "next/navigation";
import { startTransition, useEffect, useEffectEvent, useRef, useState } from "react";

import { Kbd } from "@/components/ui/kbd";
import { useFilters } from "@/features/tasks/use-filters";
import { cn } from "@/lib/cn";

import { lists } from "./destinations";
import { useShortcut } from "./shortcuts";

/** Milliseconds after the last key. */
const pause = 200;

/** Searches the list that is shown; elsewhere, all tasks. */
export function SearchBox() {
  const field = useRef<HTMLInputElement>(null);
  const router = useRouter();
  const path = usePathname();
  const inList = lists.some((l) => l.href === path);
  const found = useSearchParams().get("q") ?? "";
  const [, filter] = useFilters();
  // While someone types, what is typed counts; otherwise what the address says.
  const [typed, setTyped] = useState<string | null>(null);
  const text = typed ?? found;

  const search = (q: string) => {
    if (q === found) return;
    if (inList) filter({ q });
    else if (q) router.push(`/all?q=${encodeURIComponent(q)}`);
  };
  const searchTyped = useEffectEvent((q: string) => search(q));
  useEffect(() => {
    if (typed === null) return;
    const timer = setTimeout(() => searchTyped(typed.trim()), pause);
    return () => clearTimeout(timer);
  }, [typed]);

  // The address catches up in a transition too: the field does not fall back to the old words between.
  const settle = (q: string | null) =>
    startTransition(() => {
      if (q !== null) search(q);
      setTyped(null);
    });
  useShortcut("/", "Search", () => field.current?.select());

  return (
    <search className="relative flex min-w-0 flex-1 items-center sm:max-w-80">
      <Search aria-hidden className="pointer-events-none absolute left-3 size-4 text-muted" />
      <input
        ref={field}
        type="search"
        aria-label="Search tasks"
        placeholder="Search"
        autoComplete="off"
        maxLength={200}
        value={text}
        onChange={(event) => setTyped(event.target.value)}
        onBlur={() => settle(typed?.trim() ?? null)}
        onKeyDown={(event) => {
          if (event.key === "Enter") field.current?.blur();
          if (event.key === "Escape") {
            event.preventDefault();
            if (text) settle("");
            else field.current?.blur();
          }
        }}
        className={cn(
          "peer h-9 w-full min-w-0 rounded-lg border border-transparent bg-sunken pr-9 pl-9 text-base text-ink placeholder:text-muted hover:border-line focus:border-accent focus:bg-surface focus:outline-none sm:text-sm",
          "[&::-webkit-search-cancel-button]:appearance-none",
        )}
      />
      {text ? (
        <button
          type="button"
          aria-label="Clear search"
          onPointerDown={(event) => event.preventDefault()}
          onClick={() => settle("")}
          className="absolute right-1.5 grid size-6 cursor-pointer place-content-center rounded text-muted hover:text-ink"
        >
          <X aria-hidden className="size-3.5" />
        </button>
      ) : (
        <span
          aria-hidden
          className="pointer-events-none absolute right-2.5 hidden peer-focus:hidden sm:block"
        >
          <Kbd>/</Kbd>
        </span>
      )}
    </search>
  );
}
