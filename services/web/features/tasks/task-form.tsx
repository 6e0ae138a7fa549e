"use client";

import { AlarmClock, SkipForward, Trash2, X } from "lucide-react";
import dynamic from "next/dynamic";
import { type ReactNode, useId, useState } from "react";

import { Button } from "@/components/ui/button";
import { Select, Textarea } from "@/components/ui/input";
import { Skeleton } from "@/components/ui/skeleton";
import type { ApiError } from "@/lib/api/problem";
import { cn } from "@/lib/cn";
import { formatDue } from "@/lib/time/due";
import { useNow } from "@/lib/time/use-now";
import { useZone } from "@/lib/time/zone";

import { type Scope, type Task, type TaskPatch, dueOn, priorities } from "./model";
import { priorityNames, priorityText } from "./priority";
import { CompleteCheck } from "./row-check";
import { TagsField } from "./tags-field";
import { TaskHistory } from "./task-history";
import { longestTitle } from "./title-editor";
import { useSavedField } from "./use-saved-field";
import { useTaskActions } from "./use-tasks";

const line = () => <Skeleton className="h-9" />;
const DuePicker = dynamic(() => import("@/features/due/due-picker").then((m) => m.DuePicker), {
  ssr: false,
  loading: line,
});
const RecurrenceEditor = dynamic(
  () => import("@/features/recurrence/recurrence-editor").then((m) => m.RecurrenceEditor),
  { ssr: false, loading: line },
);
const RemindersEditor = dynamic(
  () => import("@/features/due/reminders-editor").then((m) => m.RemindersEditor),
  { ssr: false, loading: line },
);

const longestDescription = 10_000;

/** Everything of a task, each field saved by itself. */
export function TaskForm({ task, onClose }: { task: Task; onClose: () => void }) {
  const actions = useTaskActions();
  const zone = useZone();
  const now = useNow();
  const repeats = task.recurrence !== null;
  const [scope, setScope] = useState<Scope>("this");
  // Why a field was not saved, by its name.
  const [errors, setErrors] = useState<Partial<Record<string, string>>>({});

  // `seen` is the task as the user saw it when the change began.
  const save = async (field: string, changes: TaskPatch, seen = task): Promise<boolean> => {
    let refused: ApiError | undefined;
    await actions.patch(seen, changes, {
      // The rule is the series' own: there is no "this one" of it.
      ...(repeats && field !== "recurrence" ? { scope } : {}),
      refused: (error) => {
        refused = error;
      },
    });
    const wrong = refused?.fields.find((f) => f.field.startsWith(field))?.message;
    setErrors((all) => ({ ...all, [field]: wrong && sentence(wrong) }));
    // In a conflict one may have taken the other version: then there is nothing left to save.
    return refused === undefined;
  };

  const title = useSavedField({
    task: task.id,
    name: "title",
    value: task.title,
    clean: (text) => text.replace(/\s+/g, " ").trim(),
    check: (text) => (text === "" ? "A task needs a title." : undefined),
    save: (text, begun) => save("title", { title: text }, { ...task, title: begun }),
  });
  const description = useSavedField({
    task: task.id,
    name: "description",
    value: task.description,
    save: (text, begun) => save("description", { description: text }, { ...task, description: begun }),
  });
  const snoozed = task.remind_at.filter((at) => Date.parse(at) > now.getTime());

  return (
    <div className="grid gap-5">
      <div>
        <div className="flex items-start gap-3">
          <span className="grid h-8 place-items-center">
            <CompleteCheck
              label={`Complete ${task.title}`}
              checked={task.completed}
              priority={task.priority}
              onPress={() => void actions.complete([task], !task.completed)}
            />
          </span>
          <textarea
            aria-label="Title"
            rows={1}
            maxLength={longestTitle}
            {...title.props}
            aria-invalid={(title.error ?? errors["title"]) ? true : undefined}
            aria-describedby={(title.error ?? errors["title"]) ? `${task.id}-title-error` : undefined}
            onKeyDown={(event) => {
              if (event.key === "Enter" && !event.nativeEvent.isComposing) {
                event.preventDefault();
                event.currentTarget.blur();
              }
              title.onKeyDown(event);
            }}
            className={cn(
              "field-sizing-content min-h-8 w-full min-w-0 resize-none rounded-md px-1.5 py-0.5 text-xl leading-7 font-semibold tracking-tight break-words outline-none hover:bg-ink/[0.04] focus:bg-surface focus:ring-2 focus:ring-accent aria-invalid:ring-2 aria-invalid:ring-danger",
              task.completed && "text-muted line-through focus:no-underline",
            )}
          />
        </div>
        <Wrong id={`${task.id}-title-error`} className="pl-8">
          {title.error ?? errors["title"]}
        </Wrong>
      </div>

      {repeats && <ScopeChoice scope={scope} onChange={setScope} />}

      <div className="grid gap-3.5">
        <Property label="Due" error={errors["due_date"]}>
          <DuePicker value={task.due_date} onChange={(due) => void save("due_date", dueOn(task, due))} />
        </Property>
        <Property label="Priority" control={`${task.id}-priority`} error={errors["priority"]}>
          <Select
            id={`${task.id}-priority`}
            value={task.priority}
            onChange={(event) => {
              const priority = priorities.find((p) => p === event.target.value);
              if (priority) void save("priority", { priority });
            }}
            className={cn("h-9", priorityText[task.priority])}
          >
            {[...priorities].reverse().map((p) => (
              <option key={p} value={p}>
                {priorityNames[p]}
              </option>
            ))}
          </Select>
        </Property>
        <Property label="Tags" control={`${task.id}-tags`} error={errors["tags"]}>
          <TagsField
            id={`${task.id}-tags`}
            tags={task.tags}
            onChange={(tags) => void save("tags", { tags })}
          />
        </Property>
        <Property label="Repeats" error={errors["recurrence"]}>
          <RecurrenceEditor
            value={task.recurrence}
            due={task.due_date}
            onChange={(recurrence) => void save("recurrence", { recurrence })}
          />
        </Property>
        <Property label="Reminders" error={errors["reminders"]}>
          <RemindersEditor
            minutes={task.reminders}
            due={task.due_date}
            onChange={(reminders) => void save("reminders", { reminders })}
          />
          {snoozed.map((at) => (
            <p key={at} className="mt-1.5 flex items-center gap-2 text-sm text-muted">
              <AlarmClock aria-hidden className="size-3.5" />
              Again {formatDue(at, zone, now)}
              <button
                type="button"
                aria-label={`Do not remind ${formatDue(at, zone, now)}`}
                onClick={() => void save("remind_at", { remind_at: task.remind_at.filter((r) => r !== at) })}
                className="grid size-6 cursor-pointer place-content-center rounded hover:bg-sunken hover:text-ink"
              >
                <X aria-hidden className="size-3.5" />
              </button>
            </p>
          ))}
        </Property>
      </div>

      <div className="grid gap-1.5">
        <label htmlFor={`${task.id}-description`} className="text-sm text-muted">
          Description
        </label>
        <Textarea
          id={`${task.id}-description`}
          maxLength={longestDescription}
          {...description.props}
          onKeyDown={description.onKeyDown}
          aria-invalid={errors["description"] ? true : undefined}
          aria-describedby={errors["description"] ? `${task.id}-description-error` : undefined}
          className="field-sizing-content max-h-96 min-h-24"
        />
        <Wrong id={`${task.id}-description-error`}>{errors["description"]}</Wrong>
      </div>

      <TaskHistory id={task.id} version={task.version} />

      <div className="flex flex-wrap justify-between gap-2 border-t border-line pt-4">
        {repeats && !task.completed && !task.skipped ? (
          <Button look="ghost" size="sm" className="-ml-2.5" onClick={() => void actions.skip(task)}>
            <SkipForward aria-hidden />
            Skip this occurrence
          </Button>
        ) : (
          <span />
        )}
        <Button
          look="ghost"
          size="sm"
          className="-mr-2.5 text-danger"
          onClick={() => {
            onClose();
            void actions.remove([task]);
          }}
        >
          <Trash2 aria-hidden />
          Delete task
        </Button>
      </div>
    </div>
  );
}

/** A field with its name beside it: the label of one control (`control`), or of a group of them. */
function Property(props: {
  label: string;
  control?: string;
  error?: string | undefined;
  children: ReactNode;
}) {
  const id = useId();
  const name = "flex h-9 items-center text-sm text-muted";
  return (
    <div
      {...(props.control ? {} : { role: "group", "aria-labelledby": id })}
      className="grid grid-cols-[5.5rem_minmax(0,1fr)] items-start gap-x-3"
    >
      {props.control ? (
        <label htmlFor={props.control} className={name}>
          {props.label}
        </label>
      ) : (
        <span id={id} className={name}>
          {props.label}
        </span>
      )}
      <div className="min-w-0">
        {props.children}
        <Wrong>{props.error}</Wrong>
      </div>
    </div>
  );
}

function Wrong(props: { id?: string; className?: string; children: string | undefined }) {
  if (!props.children) return null;
  return (
    <p id={props.id} role="alert" className={cn("pt-1 text-sm text-danger", props.className)}>
      {props.children}
    </p>
  );
}

/** What a change of a repeating task reaches. */
function ScopeChoice({ scope, onChange }: { scope: Scope; onChange: (scope: Scope) => void }) {
  const choices: readonly [Scope, string][] = [
    ["this", "This one"],
    ["following", "This and following"],
  ];
  const name = useId();
  return (
    <Property label="Changes to">
      <div className="grid grid-cols-[2fr_3fr] rounded-lg bg-sunken p-1">
        {choices.map(([value, label]) => (
          <label
            key={value}
            className={cn(
              "relative grid h-7 cursor-pointer place-content-center rounded-md px-1 text-sm whitespace-nowrap text-muted has-focus-visible:outline-2 has-focus-visible:outline-accent",
              scope === value && "bg-surface font-medium text-ink shadow-sm",
            )}
          >
            <input
              type="radio"
              name={name}
              value={value}
              checked={scope === value}
              onChange={() => onChange(value)}
              className="absolute inset-0 cursor-pointer opacity-0"
            />
            {label}
          </label>
        ))}
      </div>
    </Property>
  );
}

/** The server's "must not be empty" as a sentence of its own. */
function sentence(message: string): string {
  const text = message.charAt(0).toUpperCase() + message.slice(1);
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
