"use client";

import dynamic from "next/dynamic";
import { useEffect, useMemo, useState } from "react";

import { cn } from "@/lib/cn";
import { useNow } from "@/lib/time/use-now";
import { useZone } from "@/lib/time/zone";

import { DayHeading } from "./day-heading";
import { draftOf, isToSave, setDraft, typed, useDraft } from "./draft";
import { startDrag } from "./drag";
import type { Task } from "./model";
import { useOpenTask } from "./open-task";
import { rowsOf } from "./rows";
import { type Section, tagsOf } from "./select";
import { type Selection, extended, nothing, toggled } from "./selection";
import { type RowActions, TaskRow } from "./task-row";
import { useLeaving } from "./use-leaving";
import { useListKeys } from "./use-list-keys";
import { useRowKey, useTaskActions } from "./use-tasks";
import { useWindowList } from "./use-window-list";

const BulkBar = dynamic(() => import("./bulk-bar").then((m) => m.BulkBar), { ssr: false });
const MoveDialog = dynamic(() => import("./move-dialog").then((m) => m.MoveDialog), { ssr: false });
const SnoozeDialog = dynamic(() => import("./snooze-dialog").then((m) => m.SnoozeDialog), { ssr: false });

type Props = {
  sections: readonly Section[];
  /** Names what is listed: another one is shown at once, and nothing of it is selected. */
  list: string;
  trash?: boolean;
  /** Asked for more when the end comes near. */
  onEnd?: (() => void) | undefined;
};

/** The draft of the title that is edited in its row; only one is at a time. */
const titleDraft = "title";

/** Tasks under their headings, with all that can be done to them by mouse, finger and keyboard. */
export function TaskList({ sections, list, trash = false, onEnd }: Props) {
  const zone = useZone();
  const now = useNow();
  const actions = useTaskActions();
  const openTask = useOpenTask();
  const keyOf = useRowKey();
  const rows = useMemo(() => rowsOf(sections, keyOf), [sections, keyOf]);
  const tasks = useMemo(() => sections.flatMap((s) => s.tasks), [sections]);
  const listed = useMemo(() => tasks.map((t) => t.id), [tasks]);
  const { shown, moving } = useLeaving(rows, list);
  const { ref, virtual, focus, top } = useWindowList(shown);

  const [picked, setPicked] = useState<{ list: string; selection: Selection }>({ list, selection: nothing });
  const selection = picked.list === list ? picked.selection : nothing;
  const [asking, setAsking] = useState<{ what: "move" | "snooze"; tasks: readonly Task[] } | null>(null);
  const edited = useDraft(titleDraft);

  const selected = useMemo(() => tasks.filter((t) => selection.ids.has(t.id)), [tasks, selection]);
  const select = (next: Selection) => setPicked({ list, selection: next });

  const rowActions = useMemo<RowActions>(() => {
    const choose = (next: (from: Selection) => Selection) =>
      setPicked((p) => ({ list, selection: next(p.list === list ? p.selection : nothing) }));
    return {
      open: (task) => openTask(task.id),
      complete: (task) => void actions.complete([task], !task.completed),
      restore: (task) => void actions.restore([task]),
      select: (task, range) =>
        choose((from) => (range ? extended(from, task.id, listed) : toggled(from, task.id))),
      edit: (task, text) =>
        setDraft(titleDraft, task && typed(draftOf(titleDraft), keyOf(task), text ?? task.title, task.title)),
      rename: (task, title) => {
        const draft = typed(draftOf(titleDraft), keyOf(task), title, task.title);
        setDraft(titleDraft, null);
        if (!isToSave(title, draft.begun, task.title)) return;
        // What was typed is not lost if it cannot be saved.
        const refused = () => setDraft(titleDraft, draft);
        void actions.patch({ ...task, title: draft.begun }, { title }, { said: "Renamed", refused });
      },
      drag: (event, task) => {
        const together = selected.some((t) => t.id === task.id);
        startDrag(event, together ? [task, ...selected.filter((t) => t.id !== task.id)] : [task]);
      },
      menu: (task, item) => {
        if (item === "edit") openTask(task.id);
        if (item === "select") choose((from) => toggled(from, task.id));
        if (item === "skip") void actions.skip(task);
        if (item === "move") setAsking({ what: "move", tasks: [task] });
        if (item === "snooze") setAsking({ what: "snooze", tasks: [task] });
        if (item === "delete") void actions.remove([task]);
      },
    };
  }, [actions, list, listed, openTask, selected, keyOf]);

  const noteFocus = useListKeys({
    tasks,
    listed,
    selected,
    selection,
    select,
    focus,
    readOnly: trash,
    open: rowActions.open,
    edit: rowActions.edit,
    complete: (on) => void actions.complete(on, !on.every((t) => t.completed)),
    remove: (on) => void actions.remove(on),
    move: (on) => setAsking({ what: "move", tasks: on }),
  });

  const items = virtual.getVirtualItems();
  const last = items.at(-1)?.index ?? -1;
  useEffect(() => {
    if (last >= shown.length - 10) onEnd?.();
  }, [last, shown.length, onEnd]);

  return (
    <>
      <ul
        ref={ref}
        aria-label="Tasks"
        // Safari takes the role away from a list without bullets.
        role="list"
        onFocus={noteFocus}
        className="@container relative"
        style={{ height: virtual.getTotalSize() }}
      >
        {items.map((item) => {
          const row = shown[item.index];
          if (!row) return null;
          const place = {
            ref: virtual.measureElement,
            "data-index": item.index,
            style: { transform: `translateY(${item.start - top}px)` },
            className: cn(
              "group/line absolute inset-x-0 top-0",
              moving && "transition-transform duration-200 ease-out",
              row.kind === "task" && row.leaving && "pointer-events-none",
            ),
          };
          if (row.kind === "heading")
            return (
              <li key={row.key} {...place}>
                <DayHeading section={row.section} first={item.index === 0} />
              </li>
            );
          return (
            <li
              key={row.key}
              {...place}
              data-task-id={row.task.id}
              aria-setsize={onEnd ? -1 : listed.length}
              aria-posinset={row.place}
              aria-hidden={row.leaving || undefined}
            >
              <TaskRow
                task={row.task}
                zone={zone}
                now={now}
                withDay={row.section.day === undefined}
                selected={selection.ids.has(row.task.id)}
                selecting={selected.length > 0}
                typed={edited?.id === row.key && !row.leaving ? edited.text : null}
                leaving={row.leaving}
                trash={trash}
                do={rowActions}
              />
            </li>
          );
        })}
      </ul>
      {selected.length > 0 && (
        <BulkBar tasks={selected} tags={tagsOf(tasks)} onDone={() => select(nothing)} />
      )}
      {asking?.what === "move" && <MoveDialog tasks={asking.tasks} onClose={() => setAsking(null)} />}
      {asking?.what === "snooze" && asking.tasks[0] && (
        <SnoozeDialog task={asking.tasks[0]} onClose={() => setAsking(null)} />
      )}
    </>
  );
}
