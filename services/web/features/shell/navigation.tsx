"use client";

import Link from "next/link";
import { usePathname } from "next/navigation";
import { useMemo, useState } from "react";

import { useDropTarget } from "@/features/tasks/drag";
import { counts } from "@/features/tasks/select";
import { useMove } from "@/features/tasks/use-move";
import { useOpenTasks } from "@/features/tasks/use-tasks";
import { cn } from "@/lib/cn";
import { today } from "@/lib/time/due";
import { useNow } from "@/lib/time/use-now";
import { useZone } from "@/lib/time/zone";

import { type Destination, lists, others } from "./destinations";

/** The landmark "Views". */
export function Navigation({ onFollow }: { onFollow?: () => void }) {
  const { tasks } = useOpenTasks();
  const zone = useZone();
  const now = useNow();
  const count = useMemo(() => counts(tasks, { zone, now }), [tasks, zone, now]);
  const move = useMove();
  const drop = useDropTarget((dropped) => void move(dropped, today(zone)));
  return (
    <nav aria-label="Views" className="grid gap-6">
      <ul className="grid gap-0.5">
        {lists.map((to) => (
          <li key={to.href} {...(to.href === "/today" ? drop.handlers : {})}>
            <Item
              to={to}
              onFollow={onFollow}
              count={to.href === "/today" ? count.today : to.href === "/overdue" ? count.overdue : 0}
              target={to.href === "/today" && drop.dragging ? (drop.over ? "over" : "open") : undefined}
            />
          </li>
        ))}
      </ul>
      <ul className="grid gap-0.5">
        {others.map((to) => (
          <li key={to.href}>
            <Item to={to} onFollow={onFollow} count={0} ahead={false} />
          </li>
        ))}
      </ul>
    </nav>
  );
}

function Item(props: {
  to: Destination;
  count: number;
  /** Whether its page is fetched before anyone goes for it: the lists are one and the same page. */
  ahead?: boolean;
  target?: "open" | "over" | undefined;
  onFollow?: (() => void) | undefined;
}) {
  const { to, count, target } = props;
  const here = usePathname() === to.href;
  const late = to.href === "/overdue";
  const [wanted, setWanted] = useState(props.ahead ?? true);
  const want = () => setWanted(true);
  return (
    <Link
      href={to.href}
      aria-label={to.name}
      aria-current={here ? "page" : undefined}
      // Its words are the name; the number is read after it.
      aria-description={count > 0 ? `${count} ${count === 1 ? "task" : "tasks"}` : undefined}
      prefetch={wanted ? null : false}
      onPointerEnter={want}
      onFocus={want}
      onClick={props.onFollow}
      draggable={false}
      className={cn(
        "flex h-9 items-center gap-3 rounded-lg px-3 text-sm text-muted transition-colors hover:bg-sunken hover:text-ink",
        here && "bg-accent-soft font-medium text-accent hover:bg-accent-soft hover:text-accent",
        target && "outline outline-1 outline-offset-0 outline-line-strong outline-dashed",
        target === "over" && "bg-accent-soft text-accent outline-accent",
      )}
    >
      <to.icon aria-hidden className="size-4 shrink-0" strokeWidth={here ? 2.25 : 2} />
      <span className="flex-1 truncate">{to.name}</span>
      {count > 0 && (
        <span
          aria-hidden
          className={cn("text-xs tabular-nums", late ? "font-medium text-danger" : !here && "text-muted")}
        >
          {count}
        </span>
      )}
    </Link>
  );
}
