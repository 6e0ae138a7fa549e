"use client";

import { X } from "lucide-react";
import { useId, useMemo, useState } from "react";

import { tagsOf } from "./select";
import { hasTag, longestTag, tagError, withTag, withoutTag } from "./tags";
import { useOpenTasks } from "./use-tasks";

/** Tags as chips before the field for the next one: Enter or a comma adds it, Backspace takes the last off. */
export function TagsField(props: {
  id: string;
  tags: readonly string[];
  onChange: (tags: string[]) => void;
}) {
  const { tags, onChange } = props;
  const { tasks } = useOpenTasks();
  const known = useMemo(() => tagsOf(tasks).filter((t) => !hasTag(tags, t)), [tasks, tags]);
  const list = useId();
  const [text, setText] = useState("");
  const [error, setError] = useState<string>();

  const add = (typed: string) => {
    const tag = typed.trim().replace(/^#/, "");
    if (tag === "") return setText("");
    const wrong = tagError(tags, tag);
    setError(wrong);
    if (wrong) return;
    setText("");
    if (!hasTag(tags, tag)) onChange(withTag(tags, tag));
  };
  return (
    <>
      <div className="flex min-h-9 flex-wrap items-center gap-1.5 rounded-lg border border-line-strong bg-surface px-1.5 py-1 focus-within:outline-2 focus-within:outline-offset-2 focus-within:outline-accent">
        {tags.map((tag) => (
          <span
            key={tag}
            className="inline-flex h-6 max-w-full items-center rounded-full bg-sunken pl-2.5 text-xs text-ink"
          >
            <span className="truncate">{tag}</span>
            <button
              type="button"
              aria-label={`Remove tag ${tag}`}
              onClick={() => onChange(withoutTag(tags, tag))}
              className="grid size-6 shrink-0 cursor-pointer place-content-center rounded-full text-muted hover:text-ink"
            >
              <X aria-hidden className="size-3" />
            </button>
          </span>
        ))}
        <input
          id={props.id}
          aria-invalid={error ? true : undefined}
          aria-describedby={error ? `${list}-error` : undefined}
          value={text}
          list={list}
          maxLength={longestTag + 1}
          placeholder={tags.length === 0 ? "Add a tag" : ""}
          autoComplete="off"
          onChange={(event) => {
            const typed = event.target.value;
            setError(undefined);
            if (typed.endsWith(",")) add(typed.slice(0, -1));
            else setText(typed);
          }}
          onBlur={() => add(text)}
          onKeyDown={(event) => {
            if (event.key === "Enter" && !event.nativeEvent.isComposing) {
              event.preventDefault();
              add(text);
            }
            if (event.key === "Backspace" && text === "" && tags.length > 0) onChange(tags.slice(0, -1));
          }}
          className="h-6 min-w-20 flex-1 bg-transparent px-1.5 text-base outline-none placeholder:text-muted sm:text-sm"
        />
        <datalist id={list}>
          {known.slice(0, 50).map((tag) => (
            <option key={tag} value={tag} />
          ))}
        </datalist>
      </div>
      {error && (
        <p id={`${list}-error`} role="alert" className="pt-1 text-sm text-danger">
          {error}
        </p>
      )}
    </>
  );
}
