"use client";

import { AlarmClock, CalendarArrowUp, ListChecks, Pencil, SkipForward, Trash2 } from "lucide-react";
import type { ReactNode } from "react";

import { Menu, MenuContent, MenuItem, MenuSeparator, MenuTrigger } from "@/components/ui/menu";

import type { Task } from "./model";
import type { RowItem } from "./task-row";

/** The opened menu of a row, with its button. */
export function RowPopup(props: { task: Task; trigger: ReactNode; onPick: (item: RowItem) => void }) {
  const { task } = props;
  const open = !task.completed && !task.skipped;
  return (
    <Menu defaultOpen>
      <MenuTrigger asChild>{props.trigger}</MenuTrigger>
      <MenuContent align="end">
        <MenuItem onSelect={() => props.onPick("edit")}>
          <Pencil aria-hidden />
          Edit
        </MenuItem>
        {open && (
          <MenuItem onSelect={() => props.onPick("move")}>
            <CalendarArrowUp aria-hidden />
            Move to…
          </MenuItem>
        )}
        {open && (
          <MenuItem onSelect={() => props.onPick("snooze")}>
            <AlarmClock aria-hidden />
            Snooze…
          </MenuItem>
        )}
        {open && task.recurrence && (
          <MenuItem onSelect={() => props.onPick("skip")}>
            <SkipForward aria-hidden />
            Skip this occurrence
          </MenuItem>
        )}
        <MenuItem onSelect={() => props.onPick("select")}>
          <ListChecks aria-hidden />
          Select
        </MenuItem>
        <MenuSeparator />
        <MenuItem danger onSelect={() => props.onPick("delete")}>
          <Trash2 aria-hidden />
          Delete
        </MenuItem>
      </MenuContent>
    </Menu>
  );
}
