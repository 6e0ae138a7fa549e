"use client";

import type { ReactNode } from "react";

import { Popover, PopoverContent, PopoverTrigger } from "@/components/ui/popover";

const examples: readonly [what: string, examples: readonly string[]][] = [
  ["Dates", ["tomorrow", "on fri", "next monday", "in 2 weeks", "27 nov"]],
  ["Times", ["at 5pm", "17:00", "at 9:30"]],
  ["Repeats", ["every day", "every mon and wed", "every month on the 15th", "every! 3 days"]],
  ["Priority", ["!high", "!urgent", "p1"]],
  ["Tags", ["#home"]],
  ["Reminders", ["*30m", "remind me 1 hour before"]],
];

/** The opened help, with its button. */
export function HelpPopup({ trigger }: { trigger: ReactNode }) {
  return (
    <Popover defaultOpen>
      <PopoverTrigger asChild>{trigger}</PopoverTrigger>
      <PopoverContent
        align="end"
        className="w-[min(22rem,calc(100vw-2rem))] text-sm"
        aria-label="What can be typed"
      >
        <p className="mb-3 font-medium">Type a task as you would say it</p>
        <dl className="grid grid-cols-[auto_1fr] gap-x-4 gap-y-2">
          {examples.map(([what, words]) => (
            <div key={what} className="contents">
              <dt className="text-muted">{what}</dt>
              <dd className="flex flex-wrap gap-1">
                {words.map((word) => (
                  <code key={word} className="rounded bg-sunken px-1.5 py-0.5 text-xs">
                    {word}
                  </code>
                ))}
              </dd>
            </div>
          ))}
        </dl>
        <p className="mt-3 text-muted">
          <code className="rounded bg-sunken px-1.5 py-0.5 text-xs text-ink">every!</code> counts from the day
          it was done. Text in{" "}
          <code className="rounded bg-sunken px-1.5 py-0.5 text-xs text-ink">&quot;quotes&quot;</code> stays
          as it is; a click on a chip turns it back into text.
        </p>
      </PopoverContent>
    </Popover>
  );
}
