"use client";

import { Check, ChevronDown } from "lucide-react";
import { type KeyboardEvent, useId, useMemo, useState } from "react";

import { Button } from "@/components/ui/button";
import { Input } from "@/components/ui/input";
import { Popover, PopoverContent, PopoverTrigger } from "@/components/ui/popover";
import { cn } from "@/lib/cn";
import { useNow } from "@/lib/time/use-now";

import { findZones, timeIn } from "./zones";

const shown = 60;

/** The profile's zone, and a list of all that this browser knows to choose another from. */
export function ZonePicker(props: { value: string; busy: boolean; onChange: (zone: string) => void }) {
  const now = useNow();
  const [open, setOpen] = useState(false);
  return (
    <div className="flex flex-wrap items-center gap-3">
      <Popover open={open} onOpenChange={setOpen}>
        <PopoverTrigger asChild>
          <Button
            busy={props.busy}
            aria-label={`Time zone: ${props.value}. Change`}
            className="w-full justify-between border-line-strong sm:w-72"
          >
            <span className="truncate">{props.value.replaceAll("_", " ")}</span>
            <ChevronDown aria-hidden className="text-muted" />
          </Button>
        </PopoverTrigger>
        <PopoverContent align="start" className="w-[min(22rem,calc(100vw-2rem))] p-2">
          <ZoneList
            value={props.value}
            now={now}
            onChoose={(zone) => {
              setOpen(false);
              if (zone !== props.value) props.onChange(zone);
            }}
          />
        </PopoverContent>
      </Popover>
      <p className="text-sm text-muted tabular-nums">Now {timeIn(props.value, now)}</p>
    </div>
  );
}

/** A combobox as in the ARIA Authoring Practices: the focus stays in the search, arrows move in the list. */
function ZoneList(props: { value: string; now: Date; onChoose: (zone: string) => void }) {
  const id = useId();
  const zones = useMemo(() => [...new Set(["UTC", ...Intl.supportedValuesOf("timeZone")])], []);
  const [search, setSearch] = useState("");
  const [active, setActive] = useState(0);
  const found = useMemo(() => {
    if (search) return findZones(zones, search, shown);
    return [props.value, ...zones.filter((z) => z !== props.value)].slice(0, shown);
  }, [zones, search, props.value]);

  function move(to: number) {
    const next = Math.max(0, Math.min(found.length - 1, to));
    setActive(next);
    document.getElementById(`${id}-${next}`)?.scrollIntoView({ block: "nearest" });
  }

  function onKeyDown(event: KeyboardEvent) {
    const chosen = found[active];
    if (event.key === "ArrowDown") move(active + 1);
    else if (event.key === "ArrowUp") move(active - 1);
    else if (event.key === "Enter" && chosen) props.onChoose(chosen);
    else return;
    event.preventDefault();
  }

  return (
    <div className="grid gap-2">
      <Input
        role="combobox"
        aria-expanded
        aria-controls={`${id}-list`}
        aria-activedescendant={found.length > 0 ? `${id}-${active}` : undefined}
        aria-label="Search time zones"
        placeholder="City or region"
        autoFocus
        value={search}
        onChange={(event) => {
          setSearch(event.target.value);
          setActive(0);
        }}
        onKeyDown={onKeyDown}
      />
      <ul id={`${id}-list`} role="listbox" aria-label="Time zones" className="max-h-64 overflow-y-auto">
        {found.map((zone, i) => (
          <li
            key={zone}
            id={`${id}-${i}`}
            role="option"
            aria-selected={zone === props.value}
            onClick={() => props.onChoose(zone)}
            onPointerMove={() => setActive(i)}
            className={cn(
              "flex min-h-8 cursor-pointer items-center gap-2 rounded-lg px-2.5 py-1.5 text-sm",
              i === active && "bg-sunken",
            )}
          >
            <span className="flex-1 truncate">{zone.replaceAll("_", " ")}</span>
            {zone === props.value && <Check aria-hidden className="size-4 text-accent" />}
            <span className="text-xs text-muted tabular-nums">{timeIn(zone, props.now)}</span>
          </li>
        ))}
      </ul>
      {found.length === 0 && (
        <p role="status" className="px-2.5 pb-2 text-sm text-muted">
          No zone has that name. Try a larger city nearby.
        </p>
      )}
    </div>
  );
}
