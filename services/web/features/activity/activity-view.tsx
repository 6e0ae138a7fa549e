"use client";

import {
  Bell,
  CalendarClock,
  CircleCheck,
  CirclePlus,
  History,
  type LucideIcon,
  Repeat2,
  RotateCcw,
  Trash2,
  UserRound,
} from "lucide-react";
import { useEffect, useMemo, useRef, useState } from "react";

import { Button } from "@/components/ui/button";
import { Empty } from "@/components/ui/empty";
import { Skeleton } from "@/components/ui/skeleton";
import { taskHref, useOpenTask } from "@/features/tasks/open-task";
import { ViewFrame } from "@/features/tasks/view-frame";
import { cn } from "@/lib/cn";
import { type Day, dueDay, dueTime, formatDay, today } from "@/lib/time/due";
import { useNow } from "@/lib/time/use-now";
import { useZone } from "@/lib/time/zone";

import { type Event, type Kind, type Known, sentenceOf } from "./sentences";
import { type Topic, useActivity, useTitles } from "./use-activity";

const topics: readonly [Topic, string][] = [
  ["tasks.events", "Tasks"],
  ["users.events", "Account"],
];

export function ActivityView() {
  const [topic, setTopic] = useState<Topic>("tasks.events");
  return (
    <ViewFrame
      title="Activity"
      aside="Everything that happened, the newest first."
      tools={
        <div role="group" aria-label="About" className="grid grid-cols-2 rounded-lg bg-sunken p-1">
          {topics.map(([value, name]) => (
            <button
              key={value}
              type="button"
              aria-pressed={topic === value}
              onClick={() => setTopic(value)}
              className={cn(
                "h-7 cursor-pointer rounded-md px-3 text-sm text-muted",
                topic === value && "bg-surface font-medium text-ink shadow-sm",
              )}
            >
              {name}
            </button>
          ))}
        </div>
      }
    >
      <Trail key={topic} topic={topic} />
    </ViewFrame>
  );
}

function Trail({ topic }: { topic: Topic }) {
  const { events, status, error, isFetching, isFetchNextPageError, hasNextPage, fetchNextPage, refetch } =
    useActivity(topic);
  const titles = useTitles(events);
  const zone = useZone();
  const now = useNow();
  const here = today(zone, now);
  const days = useMemo(() => byDay(events, zone), [events, zone]);
  const known: Known = { zone, now, titles };

  if (status === "pending") return <Loading />;
  if (status === "error" && events.length === 0) {
    return (
      <Empty
        role="alert"
        icon={<History />}
        title="The activity could not be loaded"
        action={<Button onClick={() => void refetch()}>Try again</Button>}
      >
        {error.message}
      </Empty>
    );
  }
  if (events.length === 0) {
    return (
      <Empty icon={<History />} title="Nothing has happened yet">
        What you do with your tasks is written down here.
      </Empty>
    );
  }
  return (
    <>
      <div className="grid gap-6">
        {days.map(([day, those]) => (
          <section key={day} aria-labelledby={`day-${day}`}>
            <h2 id={`day-${day}`} className="pb-2 text-sm font-semibold">
              {formatDay(day, here)}
            </h2>
            <ol className="grid divide-y divide-line overflow-hidden rounded-xl border border-line bg-surface">
              {those.map((event) => (
                <Line key={event.event_id} event={event} known={known} />
              ))}
            </ol>
          </section>
        ))}
      </div>
      {hasNextPage ? (
        <More
          // Another page is another end to be seen.
          key={events.length}
          busy={isFetching}
          failed={isFetchNextPageError ? (error?.message ?? "") : null}
          onMore={() => void fetchNextPage()}
        />
      ) : (
        <p className="pt-6 text-center text-sm text-muted">That is where it begins.</p>
      )}
    </>
  );
}

const icons: Record<Kind, [icon: LucideIcon, colour: string]> = {
  made: [CirclePlus, "text-accent"],
  changed: [CalendarClock, "text-muted"],
  done: [CircleCheck, "text-ok"],
  undone: [RotateCcw, "text-muted"],
  removed: [Trash2, "text-danger"],
  reminded: [Bell, "text-warn"],
  repeats: [Repeat2, "text-ok"],
  account: [UserRound, "text-accent"],
};

function Line({ event, known }: { event: Event; known: Known }) {
  const open = useOpenTask();
  const { kind, before, task, after } = sentenceOf(event, known);
  const [Icon, colour] = icons[kind];
  const id = task?.id;
  return (
    <li className="flex min-h-11 items-start gap-3 px-4 py-3 text-sm">
      <Icon aria-hidden className={cn("mt-0.5 size-4 shrink-0", colour)} />
      <p className="min-w-0 flex-1 break-words">
        {before}{" "}
        {task &&
          (id ? (
            <a
              href={taskHref(id)}
              onClick={(press) => {
                if (press.metaKey || press.ctrlKey || press.shiftKey) return;
                press.preventDefault();
                open(id);
              }}
              className="font-medium underline-offset-4 hover:underline"
            >
              {task.title}
            </a>
          ) : (
            <span className="font-medium">{task.title}</span>
          ))}
        <span className="text-muted">{after}</span>
      </p>
      <time dateTime={event.timestamp} className="shrink-0 pt-0.5 text-xs text-muted tabular-nums">
        {dueTime(event.timestamp, known.zone)}
      </time>
    </li>
  );
}

function byDay(events: readonly Event[], zone: string): [Day, Event[]][] {
  const days = new Map<Day, Event[]>();
  for (const event of events) {
    const day = dueDay(event.timestamp, zone) ?? "";
    const those = days.get(day);
    if (those) those.push(event);
    else days.set(day, [event]);
  }
  return [...days];
}

/** Asks for more when it comes near, and when it is pressed. */
function More({ busy, failed, onMore }: { busy: boolean; failed: string | null; onMore: () => void }) {
  const end = useRef<HTMLDivElement>(null);
  const more = useRef(onMore);
  useEffect(() => {
    more.current = onMore;
  });
  useEffect(() => {
    const element = end.current;
    if (!element || failed !== null) return;
    const observer = new IntersectionObserver(
      ([entry]) => {
        if (entry?.isIntersecting) more.current();
      },
      { rootMargin: "400px" },
    );
    observer.observe(element);
    return () => observer.disconnect();
  }, [failed]);
  return (
    <div ref={end} className="grid justify-items-center gap-2 pt-6">
      {failed !== null && (
        <p role="alert" className="text-sm text-danger">
          {failed}
        </p>
      )}
      <Button busy={busy} onClick={onMore}>
        {failed === null ? "Load more" : "Try again"}
      </Button>
    </div>
  );
}

function Loading() {
  return (
    <div role="status" aria-label="Loading" className="grid gap-2">
      {[0, 1, 2, 3, 4, 5].map((n) => (
        <Skeleton key={n} className="h-11" />
      ))}
    </div>
  );
}
