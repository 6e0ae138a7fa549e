"use client";

import { CalendarOff, CalendarRange, type LucideIcon, Sofa, Sun, Sunrise } from "lucide-react";
import { useState } from "react";

import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { Field } from "@/components/ui/field";
import { Input } from "@/components/ui/input";
import { isDay, weekdayOf } from "@/lib/time/clock";
import { type Day, addDays, formatDay, today } from "@/lib/time/due";
import { useZone } from "@/lib/time/zone";

import type { Task } from "./model";
import { nextWeek, useMove } from "./use-move";

/** The next Saturday after a day. */
function weekend(from: Day): Day {
  return addDays(from, (5 - weekdayOf(from) + 7) % 7 || 7);
}

/** Asks for another day for tasks: what dragging does, by name. */
export function MoveDialog(props: { tasks: readonly Task[]; onClose: () => void; onMoved?: () => void }) {
  const { tasks, onClose } = props;
  const zone = useZone();
  const move = useMove();
  const here = today(zone);
  const [day, setDay] = useState("");
  const [only] = tasks;
  const to = (target: Day | null) => {
    onClose();
    props.onMoved?.();
    void move(tasks, target);
  };
  const choices: readonly [name: string, day: Day | null, icon: LucideIcon][] = [
    ["Today", here, Sun],
    ["Tomorrow", addDays(here, 1), Sunrise],
    ["This weekend", weekend(here), Sofa],
    ["Next week", nextWeek(here), CalendarRange],
    ["No date", null, CalendarOff],
  ];
  const first = choices[0]?.[0];
  return (
    <Dialog
      open
      onOpenChange={onClose}
      title="Move to…"
      description={tasks.length === 1 ? only?.title : `${tasks.length} tasks. Each keeps its time of day.`}
      className="sm:w-96"
    >
      <ul className="-mx-2 grid">
        {choices.map(([name, target, Icon]) => (
          <li key={name}>
            <button
              type="button"
              aria-label={name}
              data-autofocus={first === name || undefined}
              onClick={() => to(target)}
              className="flex h-10 w-full cursor-pointer items-center gap-3 rounded-lg px-2 text-sm hover:bg-sunken"
            >
              <Icon aria-hidden className="size-4 text-muted" />
              <span className="flex-1 text-left">{name}</span>
              {target && target > addDays(here, 1) && (
                <span className="text-xs text-muted">{formatDay(target, here)}</span>
              )}
            </button>
          </li>
        ))}
      </ul>
      <form
        className="flex items-end gap-2 border-t border-line pt-4"
        onSubmit={(event) => {
          event.preventDefault();
          if (isDay(day)) to(day);
        }}
      >
        <div className="flex-1">
          <Field label="Another day">
            <Input type="date" value={day} onChange={(event) => setDay(event.target.value)} />
          </Field>
        </div>
        <Button type="submit" look="primary" disabled={!isDay(day)}>
          Move
        </Button>
      </form>
    </Dialog>
  );
}
