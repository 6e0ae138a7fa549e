"use client";

import { CalendarArrowUp, CircleCheck, Flag, RotateCcw, Tag, Trash2, X } from "lucide-react";
import { Toolbar } from "radix-ui";
import { type ComponentProps, useState } from "react";

import { Button } from "@/components/ui/button";
import { Menu, MenuContent, MenuItem, MenuTrigger } from "@/components/ui/menu";
import { Tooltip } from "@/components/ui/tooltip";
import { cn } from "@/lib/cn";

import { type Priority, type Task, priorities } from "./model";
import { MoveDialog } from "./move-dialog";
import { priorityNames, priorityText } from "./priority";
import { TagDialog } from "./tag-dialog";
import { useTaskActions } from "./use-tasks";

/** What can be done with all selected tasks at once. */
export function BulkBar(props: { tasks: readonly Task[]; tags: readonly string[]; onDone: () => void }) {
  const { tasks, onDone } = props;
  const actions = useTaskActions();
  const [asking, setAsking] = useState<"move" | "tag" | null>(null);
  const many = tasks.length === 1 ? "1 task" : `${tasks.length} tasks`;
  const reopens = tasks.every((t) => t.completed);

  const run = (act: Promise<void>) => {
    onDone();
    void act;
  };
  const prioritize = (priority: Priority) =>
    run(
      actions.patchAll(
        tasks,
        () => ({ priority }),
        `Set the priority of ${many} to ${priorityNames[priority].toLowerCase()}`,
      ),
    );

  return (
    <>
      <Toolbar.Root
        aria-label="Selected tasks"
        data-bulk
        className="fixed bottom-[max(1rem,env(safe-area-inset-bottom))] left-1/2 z-30 flex max-w-[calc(100vw-1rem)] -translate-x-1/2 animate-rise items-center gap-0.5 rounded-2xl border border-line bg-raised p-1.5 shadow-pop md:left-[calc(50%+7rem)] lg:left-[calc(50%+7.5rem)]"
      >
        <p aria-live="polite" className="px-2.5 text-sm font-medium whitespace-nowrap tabular-nums">
          {tasks.length}
          <span className="max-sm:sr-only"> selected</span>
        </p>
        <span aria-hidden className="mx-1 h-5 w-px bg-line" />
        <Item label={reopens ? "Reopen" : "Complete"} onClick={() => run(actions.complete(tasks, !reopens))}>
          {reopens ? <RotateCcw aria-hidden /> : <CircleCheck aria-hidden />}
        </Item>
        {!reopens && (
          <Item label="Move to…" onClick={() => setAsking("move")}>
            <CalendarArrowUp aria-hidden />
          </Item>
        )}
        <Menu>
          <Toolbar.Button asChild>
            <MenuTrigger asChild>
              <Control label="Priority…">
                <Flag aria-hidden />
              </Control>
            </MenuTrigger>
          </Toolbar.Button>
          <MenuContent side="top">
            {[...priorities].reverse().map((priority) => (
              <MenuItem key={priority} onSelect={() => prioritize(priority)}>
                <Flag aria-hidden className={priorityText[priority]} />
                {priorityNames[priority]}
              </MenuItem>
            ))}
          </MenuContent>
        </Menu>
        <Item label="Tag…" onClick={() => setAsking("tag")}>
          <Tag aria-hidden />
        </Item>
        <Item label="Delete" danger onClick={() => run(actions.remove(tasks))}>
          <Trash2 aria-hidden />
        </Item>
        <span aria-hidden className="mx-1 h-5 w-px bg-line" />
        <Tooltip text="Clear selection" keys="Esc">
          <Toolbar.Button asChild>
            <Button look="ghost" size="icon" aria-label="Clear selection" onClick={onDone}>
              <X aria-hidden />
            </Button>
          </Toolbar.Button>
        </Tooltip>
      </Toolbar.Root>
      {asking === "move" && <MoveDialog tasks={tasks} onClose={() => setAsking(null)} onMoved={onDone} />}
      {asking === "tag" && <TagDialog tasks={tasks} known={props.tags} onClose={() => setAsking(null)} />}
    </>
  );
}

function Item(props: ComponentProps<typeof Control>) {
  return (
    <Toolbar.Button asChild>
      <Control {...props} />
    </Toolbar.Button>
  );
}

/** Its words where there is room for them, its sign alone where there is not. */
function Control({
  label,
  danger,
  children,
  ...rest
}: ComponentProps<typeof Button> & { label: string; danger?: boolean }) {
  return (
    <Button
      look="ghost"
      size="sm"
      aria-label={label}
      {...rest}
      className={cn("max-lg:w-9 max-lg:px-0", danger && "text-danger")}
    >
      {children}
      <span className="max-lg:hidden">{label}</span>
    </Button>
  );
}
