"use client";

import { cn } from "@/lib/cn";
import { type Day, addDays, today } from "@/lib/time/due";
import { useZone } from "@/lib/time/zone";

import { useDragged, useDropTarget } from "./drag";
import { nextWeek, useMove } from "./use-move";

/** Days to drop tasks on, shown while something is dragged. By keyboard the same is done through "Move to…". */
export function DropTray() {
  const dragged = useDragged();
  const zone = useZone();
  if (!dragged) return null;
  const here = today(zone);
  return (
    <div
      aria-hidden
      className="fixed bottom-6 left-1/2 z-40 flex -translate-x-1/2 gap-2 rounded-2xl border border-line bg-raised p-2 shadow-pop md:left-[calc(50%+7rem)] lg:left-[calc(50%+7.5rem)]"
    >
      <Target name="Tomorrow" day={addDays(here, 1)} />
      <Target name="Next week" day={nextWeek(here)} />
      <Target name="No date" day={null} />
    </div>
  );
}

function Target({ name, day }: { name: string; day: Day | null }) {
  const move = useMove();
  const { over, handlers } = useDropTarget((tasks) => void move(tasks, day));
  return (
    <div
      {...handlers}
      data-drop={name}
      className={cn(
        "grid h-14 w-32 place-content-center rounded-xl border border-dashed border-line-strong text-sm text-muted transition-colors",
        over && "border-accent bg-accent-soft font-medium text-accent",
      )}
    >
      {name}
    </div>
  );
}
