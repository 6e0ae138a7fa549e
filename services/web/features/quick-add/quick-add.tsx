"use client";

import { CornerDownLeft, Plus } from "lucide-react";
import {
  type KeyboardEvent,
  type Ref,
  type SyntheticEvent,
  useId,
  useImperativeHandle,
  useMemo,
  useRef,
  useState,
} from "react";

import { Button } from "@/components/ui/button";
import { Spinner } from "@/components/ui/spinner";
import { useToast } from "@/components/ui/toast";
import { describe } from "@/features/recurrence/describe";
import type { NewTask } from "@/features/tasks/model";
import { useTaskActions } from "@/features/tasks/use-tasks";
import { cn } from "@/lib/cn";
import { dueDay, formatDue } from "@/lib/time/due";
import { useNow } from "@/lib/time/use-now";
import { useZone } from "@/lib/time/zone";

import { Chips, type Shown } from "./chips";
import { Help } from "./help";
import type { Parsed } from "./parse";
import { useParser } from "./use-parser";

/** The server's, in characters. */
const longestTitle = 200;

const nothing: ReadonlySet<string> = new Set();
const none: Partial<NewTask> = {};

type Props = {
  ref?: Ref<HTMLInputElement>;
  autoFocus?: boolean;
  /** What a task gets unless the text says otherwise; shown as chips too. */
  defaults?: Partial<NewTask>;
};

/** One line that becomes a task: what it says about date, time, repetition, priority, tags and reminders is understood. */
export function QuickAdd({ ref, autoFocus, defaults = none }: Props) {
  const { create } = useTaskActions();
  const say = useToast();
  const zone = useZone();
  const now = useNow();
  const input = useRef<HTMLInputElement>(null);
  useImperativeHandle(ref, () => input.current as HTMLInputElement, []);
  const [text, setText] = useState("");
  const [ignored, setIgnored] = useState(nothing);
  const [dropped, setDropped] = useState(nothing);
  const [busy, setBusy] = useState(false);
  // Known at once: a second submission may come before the state does.
  const sending = useRef(false);
  const id = useId();

  const given = useMemo(() => without(defaults, dropped), [defaults, dropped]);
  const day = dueDay(given.due_date ?? null, zone);

  const { parse, ask } = useParser();
  const options = useMemo(() => ({ now, zone, day, ignore: ignored }), [now, zone, day, ignored]);
  // What is typed before it can be understood is understood as soon as it can be.
  const parsed = useMemo<Parsed>(
    () => parse?.(text, options) ?? { title: text.trim(), chips: [], task: {} },
    [parse, text, options],
  );
  const { title, task } = parsed;
  const length = [...title].length;
  const tooLong = length > longestTitle;

  const shown: Shown[] = [...parsed.chips, ...givenChips(given, task, (due) => formatDue(due, zone, now))];

  function remove(chip: Shown) {
    if (chip.given) setDropped(new Set([...dropped, chip.key]));
    else setIgnored(new Set([...ignored, chip.key]));
    input.current?.focus();
  }

  // Should it fail, it is tried again with the next key, and at last when the task is to be added, which tells of it.
  const prepare = () => void ask().catch(() => undefined);

  function change(value: string) {
    setText(value);
    if (!parse) prepare();
    // Words that are gone and typed again are understood again.
    const plain = value.toLowerCase().replace(/\s+/g, " ");
    if (ignored.size > 0) setIgnored(new Set([...ignored].filter((key) => plain.includes(key))));
  }

  /** What is typed, by a parser that has to be loaded first; nothing if it cannot be, which is told. */
  async function understand(): Promise<Parsed | undefined> {
    try {
      return (await ask())(text, options);
    } catch {
      say({
        title: `Not added: “${text.trim()}”`,
        description: "The page could not load what understands it. Check the connection and try again.",
        tone: "danger",
      });
      return undefined;
    }
  }

  async function submit(event: SyntheticEvent) {
    event.preventDefault();
    if (sending.current) return;
    sending.current = true;
    setBusy(true);
    try {
      const understood = parse ? parsed : await understand();
      if (!understood || understood.title === "" || [...understood.title].length > longestTitle) return;
      const { title, task } = understood;
      const tags = [...new Set([...(given.tags ?? []), ...(task.tags ?? [])])];
      const created = await create({ ...given, ...task, title, ...(tags.length > 0 ? { tags } : {}) });
      // What the server refused stays to be mended; why was told by create.
      if (created) {
        setText("");
        setIgnored(nothing);
        setDropped(nothing);
      }
    } finally {
      sending.current = false;
      setBusy(false);
      input.current?.focus();
    }
  }

  function onKeyDown(event: KeyboardEvent<HTMLInputElement>) {
    const { selectionStart, selectionEnd } = event.currentTarget;
    if (event.key === "Backspace" && selectionStart === 0 && selectionEnd === 0 && !event.repeat) {
      const last = shown.at(-1);
      if (!last) return;
      event.preventDefault();
      remove(last);
    } else if (event.key === "Escape" && text === "") {
      event.currentTarget.blur();
    }
  }

  return (
    <form
      onSubmit={submit}
      className="rounded-xl border border-line bg-surface focus-within:border-accent has-[input[aria-invalid]]:border-danger"
    >
      <div className="flex h-12 items-center gap-2 pr-1.5 pl-3">
        {busy ? (
          <Spinner className="text-accent" />
        ) : (
          <Plus aria-hidden className="size-4 shrink-0 text-accent" />
        )}
        <input
          ref={input}
          value={text}
          onChange={(event) => change(event.target.value)}
          onKeyDown={onKeyDown}
          onFocus={prepare}
          autoFocus={autoFocus}
          readOnly={busy}
          aria-label="Add a task"
          aria-describedby={tooLong ? `${id}-long` : undefined}
          aria-invalid={tooLong || undefined}
          placeholder="Add a task, such as “Call Ann on friday at 5pm #work”"
          autoComplete="off"
          enterKeyHint="done"
          className="h-full min-w-0 flex-1 bg-transparent text-base outline-none placeholder:text-muted sm:text-sm"
        />
        {length > longestTitle - 50 && (
          <span
            id={`${id}-long`}
            className={cn("text-xs tabular-nums", tooLong ? "font-medium text-danger" : "text-muted")}
          >
            {length}/{longestTitle}
            {tooLong && <span className="sr-only"> characters: the title is too long</span>}
          </span>
        )}
        {title !== "" && (
          <Button type="submit" look="primary" size="sm" disabled={busy || tooLong}>
            Add
            <CornerDownLeft aria-hidden className="max-sm:hidden" />
          </Button>
        )}
        <Help />
      </div>
      <Chips chips={shown} onRemove={remove} />
      <p role="status" className="sr-only">
        {parsed.chips.length > 0 && `Understood: ${parsed.chips.map((c) => c.label).join(", ")}`}
      </p>
    </form>
  );
}

/** The defaults that were not removed; the tags by name, the others by field. */
function without(defaults: Partial<NewTask>, dropped: ReadonlySet<string>): Partial<NewTask> {
  const kept = Object.entries(defaults).filter(([field]) => !dropped.has(field));
  const tags = defaults.tags?.filter((tag) => !dropped.has(`#${tag}`));
  return { ...Object.fromEntries(kept), ...(tags ? { tags } : {}) };
}

/** What a task gets that the text says nothing about. */
function givenChips(
  given: Partial<NewTask>,
  said: Partial<NewTask>,
  dueLabel: (due: string) => string,
): Shown[] {
  const chips: Shown[] = [];
  if (given.due_date && !said.due_date) {
    chips.push({ kind: "date", key: "due_date", label: dueLabel(given.due_date), given: true });
  }
  if (given.recurrence && !said.recurrence) {
    const rule = typeof given.recurrence === "string" ? given.recurrence : given.recurrence.rule;
    chips.push({ kind: "repeat", key: "recurrence", label: describe(rule), given: true });
  }
  if (given.priority && given.priority !== "none" && !said.priority) {
    const label = given.priority.charAt(0).toUpperCase() + given.priority.slice(1);
    chips.push({ kind: "priority", key: "priority", label, given: true });
  }
  for (const tag of given.tags ?? []) {
    if (!said.tags?.includes(tag)) chips.push({ kind: "tag", key: `#${tag}`, label: tag, given: true });
  }
  return chips;
}
