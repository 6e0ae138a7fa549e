"use client";

import { Dialog } from "@/components/ui/dialog";
import { QuickAdd } from "@/features/quick-add/quick-add";
import { today } from "@/lib/time/due";
import { useZone } from "@/lib/time/zone";

/** Adds a task over whichever page is shown, due today if that is what the page is about. */
export function AddDialog(props: { today: boolean; onClose: () => void }) {
  const zone = useZone();
  return (
    <Dialog
      open
      onOpenChange={props.onClose}
      title="Add a task"
      className="max-sm:top-4 max-sm:translate-y-0 sm:top-[20%] sm:translate-y-0"
    >
      <QuickAdd autoFocus defaults={props.today ? { due_date: today(zone) } : {}} />
    </Dialog>
  );
}
