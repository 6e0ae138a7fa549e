"use client";

import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { describe } from "@/features/recurrence/describe";
import { cn } from "@/lib/cn";
import { formatDue } from "@/lib/time/due";
import { useZone } from "@/lib/time/zone";

import { type FieldName, differences } from "./conflict";
import type { Priority } from "./model";
import { priorityNames } from "./priority";
import { useConflict } from "./use-tasks";

const names: Record<FieldName, string> = {
  title: "Title",
  description: "Description",
  due_date: "Due",
  priority: "Priority",
  tags: "Tags",
  recurrence: "Repeats",
  reminders: "Reminders",
  remind_at: "Snoozed until",
  completed: "Done",
};

/** Lets one choose between one's own change and what the task has become elsewhere. */
export function ConflictDialog() {
  const { conflict, keepMine, takeTheirs } = useConflict();
  const zone = useZone();
  if (!conflict) return null;
  const { base, mine, current } = conflict;
  const found = differences(base, mine, current);
  const show = (field: FieldName, value: unknown) => text(field, value, zone);
  return (
    <Dialog
      open
      // To close it is to decide for what is there already.
      onOpenChange={(open) => !open && takeTheirs()}
      title="This task was changed elsewhere"
      description="While you changed it, so did another window, device or person. Which of both should it be?"
      className="sm:w-[42rem]"
    >
      {found.length > 0 ? (
        <div className="-mx-5 overflow-x-auto px-5">
          <table className="w-full min-w-[30rem] table-fixed border-collapse text-left text-sm">
            <thead className="text-xs text-muted">
              <tr>
                <th scope="col" className="w-24 py-2 font-medium">
                  <span className="sr-only">Field</span>
                </th>
                <th scope="col" className="px-3 py-2 font-medium">
                  Before
                </th>
                <th scope="col" className="px-3 py-2 font-medium">
                  Mine
                </th>
                <th scope="col" className="px-3 py-2 font-medium">
                  Theirs
                </th>
              </tr>
            </thead>
            <tbody>
              {found.map((d) => (
                <tr key={d.field} className="border-t border-line align-top">
                  <th scope="row" className="py-2.5 pr-2 font-medium">
                    {names[d.field]}
                  </th>
                  <Cell quiet>{show(d.field, d.base)}</Cell>
                  <Cell marked={d.clash}>{show(d.field, d.mine)}</Cell>
                  <Cell marked={d.clash}>{show(d.field, d.theirs)}</Cell>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      ) : (
        <p className="text-sm text-muted">Both come to the same.</p>
      )}
      <div className="flex flex-wrap justify-end gap-2 pt-1">
        <Button onClick={takeTheirs}>Take theirs</Button>
        <Button look="primary" onClick={keepMine}>
          Keep mine
        </Button>
      </div>
    </Dialog>
  );
}

function Cell(props: { children: string; quiet?: boolean; marked?: boolean }) {
  return (
    <td
      className={cn(
        "px-3 py-2.5 break-words whitespace-pre-wrap",
        props.quiet && "text-muted",
        props.marked && "bg-warn-soft",
      )}
    >
      {props.children}
    </td>
  );
}

/** A field's value in words. */
function text(field: FieldName, value: unknown, zone: string): string {
  const now = new Date();
  if (field === "completed") return value ? "Yes" : "No";
  if (value === null || value === "" || (Array.isArray(value) && value.length === 0)) return "None";
  if (field === "due_date" && typeof value === "string") return formatDue(value, zone, now);
  if (field === "priority") return priorityNames[value as Priority] ?? String(value);
  if (field === "remind_at" && Array.isArray(value))
    return value.map((at) => formatDue(String(at), zone, now)).join(", ");
  if (field === "reminders" && Array.isArray(value)) return value.map((n) => `${n} min before`).join(", ");
  if (field === "recurrence" && typeof value === "object")
    return describe(String((value as { rule?: unknown }).rule ?? ""));
  if (field === "recurrence") return describe(String(value));
  return Array.isArray(value) ? value.join(", ") : String(value);
}
