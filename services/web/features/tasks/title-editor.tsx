"use client";

import { useRef } from "react";

import { cn } from "@/lib/cn";

/** The longest title there can be. */
export const longestTitle = 200;

/** Edits a title in its place: Enter saves, Escape leaves it as it was, going elsewhere saves too. */
export function TitleEditor(props: {
  title: string;
  text: string;
  onType: (text: string) => void;
  onSave: (title: string) => void;
  onLeave: () => void;
}) {
  // Enter and Escape end it before the blur that follows.
  const over = useRef(false);
  const trimmed = props.text.trim();
  const end = (save: boolean) => {
    if (over.current) return;
    over.current = true;
    if (save && trimmed !== "" && trimmed !== props.title) props.onSave(trimmed);
    else props.onLeave();
  };
  return (
    <input
      aria-label={`Title of ${props.title}`}
      aria-invalid={trimmed === "" || undefined}
      value={props.text}
      maxLength={longestTitle}
      autoFocus
      onFocus={(event) => {
        const { length } = event.target.value;
        event.target.setSelectionRange(length, length);
      }}
      onChange={(event) => props.onType(event.target.value)}
      onBlur={() => end(true)}
      onKeyDown={(event) => {
        const enter = event.key === "Enter" && !event.nativeEvent.isComposing;
        if (!enter && event.key !== "Escape") return;
        // The focus goes to the title's button at once: the key must not press it.
        event.preventDefault();
        event.stopPropagation();
        end(enter);
      }}
      className={cn(
        "-mx-1.5 -my-0.5 block w-full min-w-0 rounded-md border border-accent bg-surface px-1 py-px text-base leading-5 outline-none aria-invalid:border-danger sm:text-sm",
      )}
    />
  );
}
