"use client";

import { ChevronLeft, ChevronRight } from "lucide-react";
import { useSearchParams } from "next/navigation";
import { type KeyboardEvent, useEffect, useMemo, useRef, useState } from "react";

import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { Empty } from "@/components/ui/empty";
import { QuickAdd } from "@/features/quick-add/quick-add";
import { useMove } from "@/features/tasks/use-move";
import { useOpenTasks } from "@/features/tasks/use-tasks";
import { addMonths, weekdays } from "@/lib/time/clock";
import { type Day, formatDay, fullDay, today } from "@/lib/time/due";
import { useNow } from "@/lib/time/use-now";
import { useZone } from "@/lib/time/zone";

import { DayCell } from "./day-cell";
import { DayTasks } from "./day-tasks";
import { type Month, firstOf, monthNamed, monthOfDay, monthTitle, step, weeksOf } from "./month";
import { byDay } from "./tasks";
import { useWeekBegin } from "./use-week-begin";

/** On a phone a day's tasks are listed below, elsewhere in a dialog. */
const wide = "(min-width: 40rem)";

export function CalendarView() {
  const zone = useZone();
  const now = useNow();
  const here = today(zone, now);
  const begins = useWeekBegin();
  const named = monthNamed(useSearchParams().get("month"));
  const month = named ?? monthOfDay(here);
  const { tasks, status, error, retry } = useOpenTasks();
  const move = useMove();
  const days = useMemo(() => byDay(tasks, zone), [tasks, zone]);
  const weeks = weeksOf(month, begins);
  const [current, setCurrent] = useState<Day | null>(null);
  const [picked, setPicked] = useState<Day | null>(null);
  const grid = useRef<HTMLDivElement>(null);
  // Set by a key: the cell may be of a month that is not shown yet.
  const toFocus = useRef<Day | null>(null);

  const shownDay =
    current && monthOfDay(current) === month ? current : month === monthOfDay(here) ? here : firstOf(month);
  const agenda = [...days]
    .filter(([day]) => monthOfDay(day) === month && day > shownDay)
    .sort(([a], [b]) => (a < b ? -1 : 1));

  useEffect(() => {
    const day = toFocus.current;
    // The address, and with it the month, follows a moment after the key.
    if (!day || monthOfDay(day) !== month) return;
    toFocus.current = null;
    grid.current?.querySelector<HTMLElement>(`[data-day="${day}"]`)?.focus();
  });

  function show(to: Month, replace = false) {
    const params = new URLSearchParams(location.search);
    if (to === monthOfDay(here)) params.delete("month");
    else params.set("month", to);
    const query = params.toString();
    const address = query ? `?${query}` : location.pathname;
    if (replace) history.replaceState(null, "", address);
    else history.pushState(null, "", address);
  }

  function go(by: number) {
    setCurrent(null);
    show(monthOfDay(addMonths(firstOf(month), by)));
  }

  function onKeyDown(event: KeyboardEvent, day: Day) {
    if (event.target !== event.currentTarget || event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      setPicked(day);
      return;
    }
    const to = step(day, event.key, begins);
    if (!to || to < "0002" || to > "9990") return;
    event.preventDefault();
    toFocus.current = to;
    setCurrent(to);
    if (monthOfDay(to) !== month) show(monthOfDay(to), true);
  }

  function pick(day: Day) {
    setCurrent(day);
    if (window.matchMedia(wide).matches) setPicked(day);
    else if (monthOfDay(day) !== month) show(monthOfDay(day), true);
  }

  const names = Array.from({ length: 7 }, (_, i) => weekdays[(begins + i) % 7] ?? "");
  return (
    <div className="mx-auto w-full max-w-6xl px-4 pt-6 pb-32 sm:px-8 sm:pt-10 sm:pb-16 lg:px-10">
      <div className="flex flex-wrap items-center justify-between gap-x-4 gap-y-3 pb-4 sm:pb-5">
        <h1 className="text-2xl font-semibold tracking-tight" aria-live="polite">
          {monthTitle(month)}
        </h1>
        <div className="flex items-center gap-1">
          <Button
            size="sm"
            className="h-9"
            onClick={() => {
              setCurrent(here);
              show(monthOfDay(here));
            }}
          >
            Today
          </Button>
          <Button look="ghost" size="icon" aria-label="Previous month" onClick={() => go(-1)}>
            <ChevronLeft />
          </Button>
          <Button look="ghost" size="icon" aria-label="Next month" onClick={() => go(1)}>
            <ChevronRight />
          </Button>
        </div>
      </div>

      {status === "error" && error && (
        <Empty
          role="alert"
          title="The tasks could not be loaded"
          action={<Button onClick={retry}>Try again</Button>}
        >
          {error.message}
        </Empty>
      )}

      <div
        ref={grid}
        role="grid"
        aria-label={monthTitle(month)}
        aria-busy={status === "loading"}
        className="overflow-hidden rounded-xl border border-line bg-surface"
      >
        <div role="row" className="grid grid-cols-7">
          {names.map((name) => (
            <div
              key={name}
              role="columnheader"
              aria-label={name}
              className="py-2 text-center text-xs font-medium text-muted"
            >
              <span className="sm:hidden">{name.charAt(0)}</span>
              <span className="max-sm:hidden">{name.slice(0, 3)}</span>
            </div>
          ))}
        </div>
        {weeks.map((week) => (
          <div key={week[0]} role="row" className="grid grid-cols-7">
            {week.map((day) => (
              <DayCell
                key={day}
                day={day}
                tasks={days.get(day) ?? []}
                here={day === here}
                inside={monthOfDay(day) === month}
                current={day === shownDay}
                selected={day === shownDay}
                zone={zone}
                now={now}
                onPick={pick}
                onFocus={setCurrent}
                onKeyDown={(event) => onKeyDown(event, day)}
                onDrop={(dropped, to) => void move(dropped, to)}
              />
            ))}
          </div>
        ))}
      </div>

      <div className="grid grid-cols-[minmax(0,1fr)] gap-6 pt-6 sm:hidden">
        <section aria-label={fullDay(shownDay)} className="grid grid-cols-[minmax(0,1fr)] gap-2">
          <h2 className="text-sm font-semibold">{formatDay(shownDay, here)}</h2>
          <DayTasks tasks={days.get(shownDay) ?? []} zone={zone} now={now} />
          <DayAdd day={shownDay} />
        </section>
        {agenda.map(([day, dated]) => (
          <section key={day} aria-label={fullDay(day)} className="grid grid-cols-[minmax(0,1fr)] gap-1">
            <h2 className="text-sm font-semibold">{formatDay(day, here)}</h2>
            <DayTasks tasks={dated} zone={zone} now={now} />
          </section>
        ))}
      </div>

      {picked && (
        <Dialog
          open
          onOpenChange={() => setPicked(null)}
          title={fullDay(picked)}
          className="sm:top-[20%] sm:translate-y-0"
        >
          <DayAdd day={picked} autoFocus />
          <DayTasks tasks={days.get(picked) ?? []} zone={zone} now={now} onOpen={() => setPicked(null)} />
        </Dialog>
      )}
    </div>
  );
}

/** Adds to a day. */
function DayAdd({ day, autoFocus }: { day: Day; autoFocus?: boolean }) {
  // The field keeps what was removed from it while this stays the same.
  const defaults = useMemo(() => ({ due_date: day }), [day]);
  return <QuickAdd defaults={defaults} autoFocus={autoFocus} />;
}
