"use client";

import { type ChangeEvent, type KeyboardEvent, useState } from "react";

import { keepsEscape } from "@/components/ui/keeps-escape";

import { afterSaving, draftOf, isToSave, setDraft, typed, useDraft } from "./draft";

/**
 * A text of a task that is saved when one goes elsewhere. Until it is saved, what is typed is kept, over a reload too;
 * Escape gives it up. What changes elsewhere meanwhile does not touch it.
 */
export function useSavedField(field: {
  /** The task's id. */
  task: string;
  name: string;
  value: string;
  clean?: (text: string) => string;
  /** Why the text cannot be saved. */
  check?: (text: string) => string | undefined;
  /** True if it was. `begun` is what it was when typing began. */
  save: (text: string, begun: string) => Promise<boolean>;
}) {
  const key = `${field.task}.${field.name}`;
  const draft = useDraft(key);
  const [saving, setSaving] = useState(false);
  const clean = field.clean ?? ((text) => text);
  const [error, setError] = useState<string>();

  const end = async (text: string) => {
    const sent = typed(draft, field.task, text, field.value);
    const cleaned = clean(text);
    if (!isToSave(cleaned, sent.begun, field.value)) {
      setError(undefined);
      setDraft(key, null);
      return;
    }
    const wrong = field.check?.(cleaned);
    setError(wrong);
    if (wrong || saving) return;
    setSaving(true);
    const saved = await field.save(cleaned, sent.begun);
    setSaving(false);
    if (saved) setDraft(key, afterSaving(draftOf(key), sent, cleaned));
  };
  return {
    error,
    props: {
      ...keepsEscape(draft !== null),
      value: draft?.text ?? field.value,
      onChange: (event: ChangeEvent<HTMLTextAreaElement>) => {
        setError(undefined);
        setDraft(key, typed(draft, field.task, event.target.value, field.value));
      },
      onBlur: (event: ChangeEvent<HTMLTextAreaElement>) => {
        if (draft !== null) void end(event.target.value);
      },
    },
    onKeyDown: (event: KeyboardEvent<HTMLTextAreaElement>) => {
      // The first Escape gives up what was typed, the second closes the sheet.
      if (event.key === "Escape" && draft !== null) {
        event.preventDefault();
        setError(undefined);
        setDraft(key, null);
      }
    },
  };
}
