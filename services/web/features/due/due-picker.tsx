"use client";

import { type ComponentProps, useId, useRef, useState } from "react";

import { Button } from "@/components/ui/button";
import { Checkbox } from "@/components/ui/checkbox";
import { Input } from "@/components/ui/input";
import { keepsEscape } from "@/components/ui/keeps-escape";
import { isDay, weekdayOf } from "@/lib/time/clock";
import { type Day, addDays, at, dueDay, dueTime, moveTo, today } from "@/lib/time/due";
import { useNow } from "@/lib/time/use-now";
import { useZone } from "@/lib/time/zone";

type Props = {
  value: string | null;
  onChange: (due: string | null) => void;
  /** Of the date's field, for a label. */
  id?: string;
};

/** When something is due: a few days at once, any other, and a time of the day unless it is the whole day. */
export function DuePicker({ value, onChange, id }: Props) {
  const zone = useZone();
  const now = useNow();
  const allDay = useId();
  const present = today(zone, now);
  const day = dueDay(value, zone);
  const time = dueTime(value, zone);
  const choices: [label: string, day: Day | null][] = [
    ["Today", present],
    ["Tomorrow", addDays(present, 1)],
    ["Next Monday", addDays(present, 7 - weekdayOf(present))],
    ["In a week", addDays(present, 7)],
    ["No date", null],
  ];
  return (
    <div role="group" aria-label="Due" className="grid gap-2">
      <div className="flex flex-wrap gap-1.5">
        {choices.map(([label, choice]) => (
          <Button
            key={label}
            size="sm"
            aria-pressed={choice === day}
            className="h-7 rounded-full px-2.5 text-xs aria-pressed:border-accent aria-pressed:bg-accent-soft aria-pressed:text-accent"
            onClick={() => {
              if (choice !== day) onChange(choice && moveTo(value, choice, zone));
            }}
          >
            {label}
          </Button>
        ))}
      </div>
      <div className="flex flex-wrap items-center gap-2">
        <Committed
          id={id}
          type="date"
          aria-label={id ? undefined : "Due date"}
          value={day ?? ""}
          min="0001-01-01"
          max="9998-12-31"
          className="h-9 w-auto min-w-36 flex-1"
          // While a year is typed it is 0002, 0020 and 0202 first.
          accept={(text) => text === "" || (isDay(text) && text >= "1900")}
          onCommit={(text) => onChange(text === "" ? null : moveTo(value, text, zone))}
        />
        {day && time && (
          <Committed
            type="time"
            aria-label="Due time"
            value={time}
            className="h-9 w-auto min-w-28"
            accept={(text) => text === "" || /^\d{2}:\d{2}/.test(text)}
            onCommit={(text) => onChange(text === "" ? day : at(day, text.slice(0, 5), zone))}
          />
        )}
        <label
          htmlFor={allDay}
          className="flex min-h-8 items-center gap-2 text-sm has-[:disabled]:text-muted has-[:disabled]:opacity-60"
        >
          <Checkbox
            id={allDay}
            disabled={!day}
            checked={Boolean(day) && !time}
            onCheckedChange={(whole) => {
              if (day) onChange(whole === true ? day : at(day, "09:00", zone));
            }}
          />
          All day
        </label>
      </div>
    </div>
  );
}

type CommittedProps = Omit<ComponentProps<"input">, "value" | "onChange" | "accept"> & {
  value: string;
  accept: (text: string) => boolean;
  onCommit: (text: string) => void;
};

/**
 * A native date or time field. What is picked counts at once; what is typed passes through other values first, so it
 * counts when the field is left, or with Enter.
 */
function Committed({ value, accept, onCommit, ...rest }: CommittedProps) {
  const [draft, setDraft] = useState<string | null>(null);
  const typed = useRef(false);
  function commit(text: string | null) {
    typed.current = false;
    setDraft(null);
    if (text !== null && text !== value && accept(text)) onCommit(text);
  }
  return (
    <Input
      {...rest}
      {...keepsEscape(draft !== null)}
      value={draft ?? value}
      onKeyDown={(event) => {
        if (event.key === "Enter") {
          event.preventDefault();
          commit(draft);
        } else if (event.key === "Escape" && draft !== null) {
          // Only the typing is given up, not the dialog around it.
          event.preventDefault();
          commit(null);
        } else if (event.key !== "Tab") {
          typed.current = true;
        }
      }}
      onChange={(event) => {
        if (typed.current) setDraft(event.target.value);
        else commit(event.target.value);
      }}
      onBlur={() => commit(draft)}
    />
  );
}
