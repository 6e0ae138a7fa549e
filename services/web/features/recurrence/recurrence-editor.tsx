"use client";

import { useId, useState } from "react";

import { Button } from "@/components/ui/button";
import { Input, Select } from "@/components/ui/input";
import type { Task, TaskPatch } from "@/features/tasks/model";
import { cn } from "@/lib/cn";
import { isDay, months, weekdayOf, weekdays } from "@/lib/time/clock";
import { type Day, addDays, dueDay, today } from "@/lib/time/due";
import { useNow } from "@/lib/time/use-now";
import { useZone } from "@/lib/time/zone";

import { describe, ordinal } from "./describe";
import { type Ends, type Form, type On, formError, formOf, plainForm, ruleOf } from "./form";
import { Preview } from "./preview";
import type { Frequency } from "./rule";

type Props = {
  value: Task["recurrence"];
  due: string | null;
  onChange: (r: TaskPatch["recurrence"]) => void;
  /** Of the choice how often, for a label. */
  id?: string;
};

type Draft = {
  /** null: does not repeat. A text is a rule that says more than the form shows. */
  how: Form | string | null;
  anchor: "schedule" | "completion";
  catchUp: "latest" | "all" | "skip";
};

const frequencies: readonly [Frequency, string][] = [
  ["day", "Daily"],
  ["week", "Weekly"],
  ["month", "Monthly"],
  ["year", "Yearly"],
];

function draftOf(value: Task["recurrence"]): Draft {
  if (!value) return { how: null, anchor: "schedule", catchUp: "latest" };
  return { how: formOf(value.rule) ?? value.rule, anchor: value.anchor, catchUp: value.catch_up };
}

const ruleOfDraft = ({ how }: Draft) => (how === null || typeof how === "string" ? how : ruleOf(how));

/**
 * How a task repeats. A change of the rule moves what comes after, so it is made as a whole: what is chosen is previewed,
 * and counts when it is applied.
 */
export function RecurrenceEditor({ value, due, onChange, id }: Props) {
  const zone = useZone();
  const now = useNow();
  const [draft, setDraft] = useState<Draft | null>(null);
  const saved = draftOf(value);
  const shown = draft ?? saved;
  const { how, anchor, catchUp } = shown;
  const form = how !== null && typeof how !== "string" ? how : null;
  const rule = ruleOfDraft(shown);
  const changed =
    rule !== ruleOfDraft(saved) || (rule !== null && (anchor !== saved.anchor || catchUp !== saved.catchUp));
  const wrong = form && formError(form);
  const start = dueDay(due, zone) ?? today(zone, now);
  const change = (more: Partial<Draft>) => setDraft({ ...shown, ...more });

  function apply() {
    setDraft(null);
    onChange(rule === null ? null : { rule, anchor, catch_up: catchUp });
  }

  return (
    <div role="group" aria-label="Repeats" className="grid gap-3">
      <Select
        id={id}
        aria-label={id ? undefined : "How often"}
        value={how === null ? "none" : (form?.every ?? "other")}
        onChange={(event) => {
          const to = event.target.value;
          const every = frequencies.find(([f]) => f === to)?.[0];
          if (every) change({ how: every === form?.every ? form : formFrom(every, start, form?.ends) });
          else if (to === "other") setDraft(null);
          else change({ how: null });
        }}
        className="h-9"
      >
        <option value="none">Does not repeat</option>
        {frequencies.map(([every, name]) => (
          <option key={every} value={every}>
            {name}
          </option>
        ))}
        {typeof saved.how === "string" && <option value="other">Its own rule</option>}
      </Select>

      {typeof how === "string" && (
        <p className="rounded-lg bg-sunken px-3 py-2 text-sm">
          {describe(how)}
          <code className="block text-xs break-all text-muted">{how}</code>
        </p>
      )}

      {form && <FormFields form={form} start={start} onChange={(next) => change({ how: next })} />}

      {rule !== null && (
        <>
          <label className="grid gap-1 text-sm">
            <span className="text-muted">The next one is counted from</span>
            <Select
              value={anchor}
              onChange={(event) =>
                change({ anchor: event.target.value === "completion" ? "completion" : "schedule" })
              }
              className="h-9"
            >
              <option value="schedule">its schedule</option>
              <option value="completion">the day it was done</option>
            </Select>
          </label>
          <details open={saved.catchUp !== "latest"} className="text-sm">
            <summary className="w-fit cursor-pointer py-0.5 text-muted hover:text-ink">
              After an outage
            </summary>
            <label className="grid gap-1 pt-1">
              <span className="text-muted">Dates that passed meanwhile</span>
              <Select
                value={catchUp}
                onChange={(event) => {
                  const to = (["latest", "all", "skip"] as const).find((c) => c === event.target.value);
                  if (to) change({ catchUp: to });
                }}
                className="h-9"
              >
                <option value="latest">make the last of them</option>
                <option value="all">make all of them</option>
                <option value="skip">are left out</option>
              </Select>
            </label>
          </details>
          {wrong ? (
            <p role="alert" className="text-sm text-danger">
              {wrong}
            </p>
          ) : (
            <Preview asked={{ rule, anchor, due, timeZone: value?.time_zone ?? null }} />
          )}
        </>
      )}

      {changed && (
        <div className="flex flex-wrap items-center gap-2">
          <Button size="sm" look="primary" disabled={Boolean(wrong)} onClick={apply}>
            {rule === null ? "Stop repeating" : "Apply"}
          </Button>
          <Button size="sm" look="ghost" onClick={() => setDraft(null)}>
            Cancel
          </Button>
        </div>
      )}
    </div>
  );
}

/** Another frequency begins with what the task's own day suggests. */
function formFrom(every: Frequency, start: Day, ends: Ends = { by: "never" }): Form {
  const form = { ...plainForm(every), ends };
  if (every === "week") return { ...form, weekdays: [weekdayOf(start)] };
  const day = Number(start.slice(8));
  if (every === "month") return { ...form, on: { by: "day", days: [day] } };
  if (every === "year") return { ...form, month: Number(start.slice(5, 7)), on: { by: "day", days: [day] } };
  return form;
}

type FieldsProps = { form: Form; start: Day; onChange: (form: Form) => void };

function FormFields({ form, start, onChange }: FieldsProps) {
  const id = useId();
  return (
    <>
      <div className="flex flex-wrap items-center gap-2 text-sm">
        <label htmlFor={`${id}-n`} className="text-muted">
          Every
        </label>
        <NumberInput
          id={`${id}-n`}
          value={form.interval}
          onChange={(interval) => onChange({ ...form, interval })}
          max={1000}
        />
        {form.interval === 1 ? form.every : `${form.every}s`}
      </div>
      {form.every === "week" && <Weekdays form={form} start={start} onChange={onChange} />}
      {form.every === "month" && <MonthDay form={form} start={start} onChange={onChange} />}
      {form.every === "year" && <YearDay form={form} start={start} onChange={onChange} />}
      <EndsFields form={form} start={start} onChange={onChange} />
    </>
  );
}

/** What is typed may be no number for a moment; it is kept and said to be wrong. */
function NumberInput(props: {
  id?: string;
  label?: string;
  value: number;
  max: number;
  onChange: (n: number) => void;
}) {
  return (
    <Input
      id={props.id}
      aria-label={props.label}
      type="number"
      inputMode="numeric"
      min={1}
      max={props.max}
      value={Number.isNaN(props.value) ? "" : props.value}
      onChange={(event) => props.onChange(event.target.value === "" ? NaN : Number(event.target.value))}
      className="h-9 w-20"
    />
  );
}

function Weekdays({ form, start, onChange }: FieldsProps) {
  const chosen = form.weekdays.length > 0 ? form.weekdays : [weekdayOf(start)];
  return (
    <div role="group" aria-label="On these days" className="flex gap-1">
      {weekdays.map((name, day) => {
        const on = chosen.includes(day);
        return (
          <button
            key={name}
            type="button"
            aria-label={name}
            aria-pressed={on}
            // The last one stays: a week without a day is none.
            onClick={() => {
              const next = on ? chosen.filter((d) => d !== day) : [...chosen, day].sort((a, b) => a - b);
              if (next.length > 0) onChange({ ...form, weekdays: next });
            }}
            className={cn(
              "h-8 min-w-0 flex-1 cursor-pointer rounded-lg border text-xs",
              on
                ? "border-accent bg-accent font-medium text-accent-ink"
                : "border-line-strong bg-surface text-ink hover:bg-sunken",
            )}
          >
            {name.slice(0, 2)}
          </button>
        );
      })}
    </div>
  );
}

const ranks = ["first", "second", "third", "fourth", "fifth"];
const rankName = (n: number) => (n === -1 ? "last" : (ranks[n - 1] ?? String(n)));

/** The choices that a day suggests, and the present one. */
function choicesOf(form: Form, start: Day): readonly [value: string, on: On, name: string][] {
  const day = Number(start.slice(8));
  const n = Math.ceil(day / 7);
  const weekday = weekdayOf(start);
  const last = addDays(start, 7).slice(0, 7) !== start.slice(0, 7);
  const suggested: On[] = [
    { by: "day", days: [day] },
    { by: "day", days: [-1] },
    { by: "weekday", n, weekday },
    ...(last ? [{ by: "weekday" as const, n: -1, weekday }] : []),
  ];
  const all = [...suggested, form.on];
  const seen = new Map(all.map((on) => [JSON.stringify(on), on]));
  return [...seen].map(([value, on]) => [value, on, onName(on)]);
}

function onName(on: On): string {
  if (on.by === "start") return "on the day it begins";
  if (on.by === "weekday") return `on the ${rankName(on.n)} ${weekdays[on.weekday] ?? ""}`;
  const names = on.days.map((day) => (day === -1 ? "last day" : ordinal(day)));
  return `on the ${names.join(", ")}`;
}

function MonthDay({ form, start, onChange }: FieldsProps) {
  const choices = choicesOf(form, start);
  return (
    <Select
      aria-label="Which day of the month"
      value={JSON.stringify(form.on)}
      onChange={(event) => {
        const on = choices.find(([value]) => value === event.target.value)?.[1];
        if (on) onChange({ ...form, on });
      }}
      className="h-9"
    >
      {choices.map(([value, , name]) => (
        <option key={value} value={value}>
          {name}
        </option>
      ))}
    </Select>
  );
}

function YearDay({ form, start, onChange }: FieldsProps) {
  const month = form.month ?? Number(start.slice(5, 7));
  return (
    <div className="grid grid-cols-[1fr_auto] gap-2">
      <MonthDay form={form} start={start} onChange={(next) => onChange({ ...next, month })} />
      <Select
        aria-label="Which month"
        value={month}
        onChange={(event) =>
          onChange({ ...form, month: Number(event.target.value), on: pinned(form.on, start) })
        }
        className="h-9 w-auto"
      >
        {months.map((name, i) => (
          <option key={name} value={i + 1}>
            {name}
          </option>
        ))}
      </Select>
    </div>
  );
}

// A month of its own needs a day of its own.
const pinned = (on: On, start: Day): On =>
  on.by === "start" ? { by: "day", days: [Number(start.slice(8))] } : on;

function EndsFields({ form, start, onChange }: FieldsProps) {
  const { ends } = form;
  const set = (next: Ends) => onChange({ ...form, ends: next });
  return (
    <div className="flex flex-wrap items-center gap-2 text-sm">
      <label className="flex items-center gap-2">
        <span className="text-muted">Ends</span>
        <Select
          value={ends.by}
          onChange={(event) => {
            if (event.target.value === "count") set({ by: "count", count: 10 });
            else if (event.target.value === "day") set({ by: "day", until: addDays(start, 30) });
            else set({ by: "never" });
          }}
          className="h-9 w-auto"
        >
          <option value="never">never</option>
          <option value="count">after</option>
          <option value="day">on</option>
        </Select>
      </label>
      {ends.by === "count" && (
        <>
          <NumberInput
            label="How many times"
            value={ends.count}
            max={10_000}
            onChange={(count) => set({ by: "count", count })}
          />
          {ends.count === 1 ? "time" : "times"}
        </>
      )}
      {ends.by === "day" && (
        <Input
          type="date"
          aria-label="The last day"
          value={isDay(ends.until) ? ends.until : ""}
          min={start}
          onChange={(event) => set({ by: "day", until: event.target.value })}
          className="h-9 w-auto"
        />
      )}
    </div>
  );
}
