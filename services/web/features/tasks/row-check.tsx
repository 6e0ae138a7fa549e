"use client";

import { Check } from "lucide-react";

import { cn } from "@/lib/cn";

import type { Priority } from "./model";
import { priorityRing } from "./priority";

type Props = {
  label: string;
  checked: boolean;
  onPress: (event: { shiftKey: boolean }) => void;
  disabled?: boolean;
};

const target =
  // 36 px to hit, whatever is seen.
  "group/check -m-2 grid size-9 shrink-0 cursor-pointer place-content-center rounded-full disabled:cursor-default";

/** The ring before a title. A list has hundreds of them, so they are plain buttons. */
export function CompleteCheck({
  label,
  checked,
  onPress,
  disabled,
  priority,
}: Props & { priority: Priority }) {
  return (
    <button
      type="button"
      role="checkbox"
      aria-checked={checked}
      aria-label={label}
      disabled={disabled}
      onClick={onPress}
      className={target}
    >
      <span
        data-state={checked ? "checked" : "unchecked"}
        className={cn(
          "grid size-[1.125rem] place-content-center rounded-full border-[1.5px] transition-colors duration-150",
          priorityRing[priority],
        )}
      >
        <Check
          aria-hidden
          strokeWidth={3.5}
          className={cn(
            "size-2.5",
            checked ? "text-surface" : "text-ink opacity-0 transition-opacity group-hover/check:opacity-60",
          )}
        />
      </span>
    </button>
  );
}

/** The box that picks a row for the bulk actions. */
export function SelectCheck({ label, checked, onPress, className }: Props & { className?: string }) {
  return (
    <button
      type="button"
      role="checkbox"
      aria-checked={checked}
      aria-label={label}
      onClick={onPress}
      className={cn(target, "rounded-lg", className)}
    >
      <span
        className={cn(
          "grid size-4 place-content-center rounded border border-line-strong bg-surface",
          checked && "border-accent bg-accent",
        )}
      >
        {checked && <Check aria-hidden strokeWidth={3.5} className="size-2.5 text-accent-ink" />}
      </span>
    </button>
  );
}
