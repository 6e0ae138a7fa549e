"use client";

import { Bell, CalendarDays, Ellipsis, Repeat2, RotateCcw, TextAlignStart } from "lucide-react";
import { type DragEvent, type MouseEvent, memo, useEffect, useRef } from "react";

import { Button } from "@/components/ui/button";
import { useArrived } from "@/features/live/use-live";
import { describe } from "@/features/recurrence/describe";
import { cn } from "@/lib/cn";
import { formatDue, isOverdue } from "@/lib/time/due";

import { charactersOn } from "../shell/shortcuts";
import type { Task } from "./model";
import { CompleteCheck, SelectCheck } from "./row-check";
import { RowMenu } from "./row-menu";
import { TitleEditor } from "./title-editor";

export type RowActions = {
  open: (task: Task) => void;
  complete: (task: Task) => void;
  restore: (task: Task) => void;
  select: (task: Task, range: boolean) => void;
  edit: (task: Task | null, text?: string) => void;
  rename: (task: Task, title: string) => void;
  drag: (event: DragEvent<HTMLElement>, task: Task) => void;
  menu: (task: Task, item: RowItem) => void;
};

export type RowItem = "edit" | "select" | "skip" | "snooze" | "move" | "delete";

type Props = {
  task: Task;
  zone: string;
  now: Date;
  /** Not on its own day's list, where the day goes without saying. */
  withDay: boolean;
  selected: boolean;
  selecting: boolean;
  /** What is typed as its title, while it is edited. */
  typed: string | null;
  leaving: boolean;
  trash: boolean;
  do: RowActions;
};

/** A double click renames; what one click does waits this long for the second, in milliseconds. */
const doubleClick = 220;

export const TaskRow = memo(function TaskRow(props: Props) {
  const { task, selected, selecting, typed, leaving, trash } = props;
  const arrived = useArrived(task.id);
  const waiting = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => () => clearTimeout(waiting.current), []);

  // Enter and Escape take the field away that had the focus.
  const title = useRef<HTMLButtonElement>(null);
  const editing = typed !== null;
  const edited = useRef(false);
  useEffect(() => {
    if (edited.current && !editing && document.activeElement === document.body)
      title.current?.focus({ preventScroll: true });
    edited.current = editing;
  }, [editing]);

  const press = (event: MouseEvent) => {
    if (event.shiftKey || event.ctrlKey || event.metaKey) return; // the row picks it
    clearTimeout(waiting.current);
    // A key has no second click to wait for, and neither has what cannot be renamed.
    if (event.detail === 0 || trash) props.do.open(task);
    else if (event.detail === 1) waiting.current = setTimeout(() => props.do.open(task), doubleClick);
    else props.do.edit(task, task.title);
  };
  const pick = (event: MouseEvent) => {
    if (!event.shiftKey && !event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    props.do.select(task, event.shiftKey);
  };

  return (
    <div
      draggable={!trash && typed === null && !leaving}
      onDragStart={(event) => props.do.drag(event, task)}
      onClick={pick}
      className={cn(
        "group relative flex items-start gap-3 rounded-lg px-2 py-2.5 hover:bg-ink/[0.04] sm:px-3",
        "before:pointer-events-none before:absolute before:inset-x-2 before:-top-px before:border-t before:border-line group-first/line:before:hidden sm:before:inset-x-3",
        "has-[[data-task-title]:focus-visible]:outline-2 has-[[data-task-title]:focus-visible]:-outline-offset-2 has-[[data-task-title]:focus-visible]:outline-accent",
        selected && "bg-accent-soft hover:bg-accent-soft",
        arrived && "animate-arrive",
        leaving && "animate-leave",
      )}
    >
      {!trash && (
        <SelectCheck
          label={`Select ${task.title}`}
          checked={selected}
          onPress={(event) => props.do.select(task, event.shiftKey)}
          className={cn(
            "lg:absolute lg:top-2.5 lg:-left-7",
            !selecting &&
              "opacity-0 group-hover:opacity-100 focus-visible:opacity-100 max-lg:absolute max-lg:top-2.5 max-lg:-left-4 max-sm:pointer-events-none",
          )}
        />
      )}
      {trash ? (
        <Button
          size="sm"
          look="secondary"
          aria-label={`Restore ${task.title}`}
          onClick={() => props.do.restore(task)}
          className="order-last my-[-0.3rem]"
        >
          <RotateCcw aria-hidden />
          Restore
        </Button>
      ) : (
        <span className="grid h-5 place-items-center">
          <CompleteCheck
            label={`Complete ${task.title}`}
            checked={task.completed || (leaving && !task.deleted_at)}
            disabled={leaving}
            priority={task.priority}
            onPress={() => props.do.complete(task)}
          />
        </span>
      )}

      <div className="flex min-w-0 flex-1 flex-col gap-x-4 gap-y-1 @xl:flex-row">
        {typed === null ? (
          <button
            ref={title}
            type="button"
            data-task-title
            onClick={press}
            onKeyUp={(event) => {
              // Space completes (a shortcut); Firefox would press the button as well.
              if (event.key === " " && charactersOn()) event.preventDefault();
            }}
            className={cn(
              // The whole row shows where the focus is.
              "min-w-0 flex-1 cursor-pointer rounded-sm text-left text-[0.9375rem] leading-5 break-words outline-none sm:text-sm",
              (task.completed || leaving) && "text-muted line-through",
            )}
          >
            {task.title}
          </button>
        ) : (
          <div className="min-w-0 flex-1">
            <TitleEditor
              title={task.title}
              text={typed}
              onType={(text) => props.do.edit(task, text)}
              onSave={(title) => props.do.rename(task, title)}
              onLeave={() => props.do.edit(null)}
            />
          </div>
        )}
        <Facts {...props} />
      </div>

      {!trash && (
        <RowMenu task={task} onPick={(item) => props.do.menu(task, item)}>
          <Ellipsis aria-hidden />
        </RowMenu>
      )}
    </div>
  );
});

/** What is known of a task besides its title, quietly. */
function Facts({ task, zone, now, withDay, trash }: Props) {
  // In the trash and among what is done, the day it came there says more than the day it was due.
  const since = trash ? task.deleted_at : task.completed_at;
  const late = since === null && isOverdue(task.due_date, zone, now);
  const due = formatDue(since ?? task.due_date, zone, now);
  const shown = withDay || late ? due : due.replace(/^.*?(\d\d:\d\d)?$/, "$1");
  const reminds = task.reminders.length > 0 || task.remind_at.length > 0;
  const repeats = task.recurrence === null ? null : describe(task.recurrence.rule);
  if (!shown && !reminds && !repeats && !task.description && task.tags.length === 0 && !task.skipped)
    return null;
  return (
    <div className="flex min-w-0 flex-wrap items-center gap-x-2.5 gap-y-1 text-xs text-muted @xl:h-5 @xl:max-w-[55%] @xl:shrink-0 @xl:flex-nowrap [&_svg]:size-3.5 [&_svg]:shrink-0">
      {task.skipped && <span>Skipped</span>}
      {task.description && (
        <span title="Has a description">
          <TextAlignStart aria-hidden />
          <span className="sr-only">Has a description</span>
        </span>
      )}
      {reminds && (
        <span title="Reminds you">
          <Bell aria-hidden />
          <span className="sr-only">Reminds you</span>
        </span>
      )}
      {repeats && (
        <span title={repeats}>
          <Repeat2 aria-hidden />
          <span className="sr-only">{repeats}</span>
        </span>
      )}
      {task.tags.slice(0, 3).map((tag) => (
        <span key={tag} className="max-w-32 truncate">
          <span className="opacity-70">#</span>
          {tag}
        </span>
      ))}
      {task.tags.length > 3 && <span title={task.tags.slice(3).join(", ")}>+{task.tags.length - 3}</span>}
      {shown && (
        <span
          className={cn(
            "inline-flex items-center gap-1 whitespace-nowrap tabular-nums @max-xl:order-first",
            late && "font-medium text-danger",
          )}
        >
          <CalendarDays aria-hidden className="@xl:hidden" />
          <span className="sr-only">
            {trash ? "Deleted" : since ? "Completed" : late ? "Overdue, due" : "Due"}{" "}
          </span>
          {shown}
        </span>
      )}
    </div>
  );
}
