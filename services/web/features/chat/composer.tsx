"use client";

import { ArrowUp, Square } from "lucide-react";
import { type KeyboardEvent, type RefObject, useLayoutEffect } from "react";

import { Button } from "@/components/ui/button";

/** The server takes no longer messages. */
const longest = 8000;
/** Higher than this the field scrolls, in pixels. */
const highest = 176;

type Props = {
  field: RefObject<HTMLTextAreaElement | null>;
  draft: string;
  onDraft: (draft: string) => void;
  answering: boolean;
  busy: boolean;
  onSend: (text: string) => void;
  onStop: () => void;
};

/** Makes a field as high as its text. */
function fit(area: HTMLTextAreaElement | null) {
  if (!area) return;
  area.style.height = "auto";
  area.style.height = `${Math.min(area.scrollHeight, highest)}px`;
}

/** Where the user writes. Enter sends, Shift+Enter begins a new line. */
export function Composer({ field, draft, onDraft, answering, busy, onSend, onStop }: Props) {
  const ready = !busy && draft.trim() !== "";

  useLayoutEffect(() => fit(field.current), [draft, field]);

  function send() {
    if (!ready) return;
    onSend(draft.trim());
    field.current?.focus();
  }

  function key(event: KeyboardEvent) {
    // An Enter that ends the composition of a character (Japanese, Chinese, Korean) sends nothing. Safari says so
    // only by the code 229.
    if (event.key !== "Enter" || event.shiftKey || event.nativeEvent.isComposing || event.keyCode === 229)
      return;
    event.preventDefault();
    send();
  }

  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
      className="flex items-end gap-2 rounded-2xl border border-line-strong bg-surface p-1.5 pl-3 focus-within:border-accent focus-within:ring-1 focus-within:ring-accent"
    >
      <textarea
        ref={field}
        rows={1}
        aria-label="Message"
        placeholder="Say what is to be done…"
        enterKeyHint="send"
        maxLength={longest}
        value={draft}
        onChange={(event) => onDraft(event.target.value)}
        onKeyDown={key}
        className="max-h-44 min-h-9 min-w-0 flex-1 resize-none bg-transparent py-1.5 text-base text-ink outline-none placeholder:text-muted sm:text-sm"
      />
      {answering ? (
        <Button
          size="icon"
          aria-label="Stop"
          onClick={() => {
            onStop();
            field.current?.focus();
          }}
        >
          <Square aria-hidden fill="currentColor" />
        </Button>
      ) : (
        <Button type="submit" look="primary" size="icon" aria-label="Send" disabled={!ready}>
          <ArrowUp aria-hidden />
        </Button>
      )}
    </form>
  );
}
