"use client";

import { Bell, X } from "lucide-react";
import { type KeyboardEvent, useState } from "react";

import { Button } from "@/components/ui/button";
import { Input, Select } from "@/components/ui/input";
import { isWholeDay } from "@/lib/time/due";

import { reminderLabel } from "./reminders";

const most = 10;
const earliest = 525_600;
const presets = [0, 5, 10, 30, 60, 120, 1440, 2880, 10_080];
const units = { minutes: 1, hours: 60, days: 1440, weeks: 10_080 } as const;
type Unit = keyof typeof units;

type Props = {
  minutes: number[];
  onChange: (minutes: number[]) => void;
  due: string | null;
  /** Of the list of choices, for a label. */
  id?: string;
};

/** Reminders, counted back from the due time, or of a whole day from nine in the morning. */
export function RemindersEditor({ minutes, onChange, due, id }: Props) {
  const [own, setOwn] = useState<{ n: string; unit: Unit } | null>(null);
  const sorted = [...minutes].sort((a, b) => a - b);
  const ownMinutes = own ? Number(own.n) * units[own.unit] : NaN;
  const ownError =
    own && own.n !== "" && !(Number.isInteger(ownMinutes) && ownMinutes >= 0 && ownMinutes <= earliest)
      ? "At most a year before, in whole minutes."
      : null;

  function add(n: number) {
    if (!minutes.includes(n)) onChange([...minutes, n].sort((a, b) => a - b));
  }
  function addOwn() {
    if (!own || own.n === "" || ownError) return;
    add(ownMinutes);
    setOwn(null);
  }
  const onEnter = (event: KeyboardEvent) => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    addOwn();
  };

  return (
    <div role="group" aria-label="Reminders" className="grid gap-2">
      {sorted.length > 0 && (
        <ul className="flex flex-wrap gap-1.5">
          {sorted.map((n) => (
            <li
              key={n}
              className="flex min-h-7 items-center gap-1 rounded-full bg-warn-soft pr-0.5 pl-2 text-xs font-medium text-warn"
            >
              <Bell aria-hidden className="size-3" />
              {reminderLabel(n)}
              <button
                type="button"
                aria-label={`Remove the reminder ${reminderLabel(n)}`}
                onClick={() => onChange(minutes.filter((other) => other !== n))}
                className="grid size-6 cursor-pointer place-content-center rounded-full hover:bg-sunken"
              >
                <X aria-hidden className="size-3" />
              </button>
            </li>
          ))}
        </ul>
      )}
      {due === null ? (
        <p className="text-sm text-muted">Set a due date to be reminded before it.</p>
      ) : minutes.length >= most ? (
        <p className="text-sm text-muted">{most} reminders are the most a task can have.</p>
      ) : own ? (
        <div className="flex flex-wrap items-center gap-2">
          <Input
            type="number"
            min={0}
            inputMode="numeric"
            autoFocus
            value={own.n}
            aria-label="How long before"
            aria-invalid={ownError ? true : undefined}
            onChange={(event) => setOwn({ ...own, n: event.target.value })}
            onKeyDown={onEnter}
            className="w-24"
          />
          <Select
            aria-label="Unit"
            value={own.unit}
            onChange={(event) => setOwn({ ...own, unit: event.target.value as Unit })}
            className="w-auto"
          >
            {Object.keys(units).map((unit) => (
              <option key={unit}>{unit}</option>
            ))}
          </Select>
          <Button size="sm" look="primary" disabled={own.n === "" || ownError !== null} onClick={addOwn}>
            Add
          </Button>
          <Button size="sm" look="ghost" onClick={() => setOwn(null)}>
            Cancel
          </Button>
          {ownError && (
            <p role="alert" className="w-full text-sm text-danger">
              {ownError}
            </p>
          )}
        </div>
      ) : (
        <Select
          id={id}
          aria-label={id ? undefined : "Add a reminder"}
          value=""
          onChange={(event) => {
            if (event.target.value === "own") setOwn({ n: "15", unit: "minutes" });
            else if (event.target.value !== "") add(Number(event.target.value));
          }}
        >
          <option value="">Add a reminder…</option>
          {presets
            .filter((n) => !minutes.includes(n))
            .map((n) => (
              <option key={n} value={n}>
                {n === 0 && isWholeDay(due) ? "At 9:00 on the day" : reminderLabel(n)}
              </option>
            ))}
          <option value="own">Another time…</option>
        </Select>
      )}
      {due !== null && isWholeDay(due) && sorted.length > 0 && (
        <p className="text-sm text-muted">Of a whole day they are counted back from 9:00 in the morning.</p>
      )}
    </div>
  );
}
