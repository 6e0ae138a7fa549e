"use client";

import { AlarmClock, CalendarArrowUp, ListChecks, Pencil, SkipForward, Trash2 } from "lucide-react";
import { type ReactNode, useState } from "react";

import { Button } from "@/components/ui/button";
import { Menu, MenuContent, MenuItem, MenuSeparator, MenuTrigger } from "@/components/ui/menu";

import type { Task } from "./model";
import type { RowItem } from "./task-row";

/** What else can be done with a task. The menu is made when it is first asked for: a list has hundreds of rows. */
export function RowMenu(props: { task: Task; onPick: (item: RowItem) => void; children: ReactNode }) {
  const { task } = props;
  const [asked, setAsked] = useState(false);
  const button = (
    <Button
      look="ghost"
      aria-label={`More for ${task.title}`}
      aria-haspopup="menu"
      onClick={() => setAsked(true)}
      className="-my-1 size-7 rounded-md p-0 text-muted lg:absolute lg:top-2.5 lg:-right-8 lg:opacity-0 lg:group-focus-within:opacity-100 lg:group-hover:opacity-100 lg:focus-visible:opacity-100 lg:aria-expanded:opacity-100"
    >
      {props.children}
    </Button>
  );
  if (!asked) return button;
  const open = !task.completed && !task.skipped;
  return (
    <Menu defaultOpen>
      <MenuTrigger asChild>{button}</MenuTrigger>
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
