import type { ComponentProps } from "react";

import { cn } from "@/lib/cn";

// 16 px on phones, or iOS zooms into the field.
const look =
  "w-full rounded-lg border border-line-strong bg-surface px-3 text-base text-ink placeholder:text-muted disabled:opacity-60 aria-invalid:border-danger sm:text-sm";

export function Input({ className, ...rest }: ComponentProps<"input">) {
  return <input className={cn(look, "h-10", className)} {...rest} />;
}

export function Textarea({ className, ...rest }: ComponentProps<"textarea">) {
  return <textarea className={cn(look, "min-h-20 py-2", className)} {...rest} />;
}

/** The browser's own select: it works with every keyboard, phone and screen reader. */
export function Select({ className, ...rest }: ComponentProps<"select">) {
  return <select className={cn(look, "h-10 pr-8", className)} {...rest} />;
}
