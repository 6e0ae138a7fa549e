"use client";

import { Dialog } from "@/components/ui/dialog";
import { addDays, at, formatDue, today } from "@/lib/time/due";
import { useZone } from "@/lib/time/zone";

import type { Task } from "./model";
import { nextWeek } from "./use-move";
import { type TaskActions, useTaskActions } from "./use-tasks";

/** Asks when to remind again. The due date stays. */
export function SnoozeDialog({ task, onClose }: { task: Task; onClose: () => void }) {
  const zone = useZone();
  const actions = useTaskActions();
  const now = new Date();
  const here = today(zone, now);
  const evening = at(here, "18:00", zone);
  const until = (name: string, instant: string): Choice => ({
    name,
    hint: formatDue(instant, zone, now),
    when: { until: instant },
  });
  const choices: Choice[] = [
    { name: "In 10 minutes", when: { minutes: 10 } },
    { name: "In 1 hour", when: { minutes: 60 } },
    ...(Date.parse(evening) > now.getTime() + 3_600_000 ? [until("This evening", evening)] : []),
    until("Tomorrow morning", at(addDays(here, 1), "09:00", zone)),
    until("Next week", at(nextWeek(here), "09:00", zone)),
  ];
  const first = choices[0]?.name;
  return (
    <Dialog open onOpenChange={onClose} title="Remind me again" description={task.title} className="sm:w-96">
      <ul className="-mx-2 grid">
        {choices.map(({ name, hint, when }) => (
          <li key={name}>
            <button
              type="button"
              aria-label={name}
              data-autofocus={first === name || undefined}
              onClick={() => {
                onClose();
                void actions.snooze(task, when);
              }}
              className="flex h-10 w-full cursor-pointer items-center rounded-lg px-2 text-sm hover:bg-sunken"
            >
              <span className="flex-1 text-left">{name}</span>
              {hint && <span className="text-xs text-muted">{hint}</span>}
            </button>
          </li>
        ))}
      </ul>
      <p className="text-xs text-muted">The due date stays as it is.</p>
    </Dialog>
  );
}

type Choice = { name: string; hint?: string; when: Parameters<TaskActions["snooze"]>[1] };
