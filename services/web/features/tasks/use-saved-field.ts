"use client";

import { type ChangeEvent, type KeyboardEvent, useState } from "react";

import { useDraft } from "./draft";

/**
 * A text that is saved when one goes elsewhere. Until it is saved, what is typed is kept, over a reload too; Escape gives it
 * up. What changes elsewhere meanwhile does not touch it.
 */
export function useSavedField(field: {
  key: string;
  value: string;
  clean?: (text: string) => string;
  /** Why the text cannot be saved. */
  check?: (text: string) => string | undefined;
  /** True if it was. */
  save: (text: string) => Promise<boolean>;
}) {
  const [draft, setDraft] = useDraft(field.key);
  const [saving, setSaving] = useState(false);
  const clean = field.clean ?? ((text) => text);
  const [error, setError] = useState<string>();

  const end = async (typed: string) => {
    const text = clean(typed);
    if (text === field.value) {
      setError(undefined);
      setDraft(null);
      return;
    }
    const wrong = field.check?.(text);
    setError(wrong);
    if (wrong || saving) return;
    setSaving(true);
    const saved = await field.save(text);
    setSaving(false);
    if (saved) setDraft(null);
  };
  return {
    error,
    props: {
      value: draft ?? field.value,
      onChange: (event: ChangeEvent<HTMLTextAreaElement>) => {
        setError(undefined);
        setDraft(event.target.value);
      },
      onBlur: (event: ChangeEvent<HTMLTextAreaElement>) => {
        if (draft !== null) void end(event.target.value);
      },
    },
    onKeyDown: (event: KeyboardEvent<HTMLTextAreaElement>) => {
      // The first Escape gives up what was typed, the second closes the sheet.
      if (event.key === "Escape" && draft !== null) {
        event.preventDefault();
        event.stopPropagation();
        setError(undefined);
        setDraft(null);
      }
    },
  };
}
