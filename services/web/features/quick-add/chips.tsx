import { Bell, CalendarDays, Clock, Flag, Hash, Repeat2, X } from "lucide-react";

import { cn } from "@/lib/cn";

import type { ChipKind } from "./parse";

const icons = { date: CalendarDays, time: Clock, repeat: Repeat2, priority: Flag, tag: Hash, reminder: Bell };
const tones: Record<ChipKind, string> = {
  date: "bg-accent-soft text-accent",
  time: "bg-accent-soft text-accent",
  repeat: "bg-ok-soft text-ok",
  priority: "bg-danger-soft text-danger",
  tag: "bg-sunken text-ink",
  reminder: "bg-warn-soft text-warn",
};

export type Shown = {
  kind: ChipKind;
  key: string;
  label: string;
  /** Given by the place and not by the text. */
  given?: boolean;
};

/** What was understood, each to be taken back with a click, Backspace or Delete. */
export function Chips({ chips, onRemove }: { chips: readonly Shown[]; onRemove: (chip: Shown) => void }) {
  if (chips.length === 0) return null;
  return (
    <ul aria-label="Understood" className="flex flex-wrap gap-1.5 px-3 pb-3">
      {chips.map((chip) => {
        const { kind, key, label, given } = chip;
        const Icon = icons[kind];
        const removing = given ? "Remove" : "Turn back into text";
        return (
          <li key={`${kind} ${key}`} className="max-w-full">
            <button
              type="button"
              title={removing}
              onClick={() => onRemove(chip)}
              onKeyDown={(event) => {
                if (event.key !== "Backspace" && event.key !== "Delete") return;
                event.preventDefault();
                onRemove(chip);
              }}
              className={cn(
                "group flex min-h-6 max-w-full animate-slide-in cursor-pointer items-center gap-1 rounded-full px-2 text-xs font-medium",
                tones[kind],
              )}
            >
              <Icon aria-hidden className="size-3 shrink-0" />
              <span className="truncate">{kind === "tag" ? label.replace(/^#/, "") : label}</span>
              <span className="sr-only">, {removing.toLowerCase()}</span>
              <X aria-hidden className="size-3 shrink-0 opacity-60 group-hover:opacity-100" />
            </button>
          </li>
        );
      })}
    </ul>
  );
}
