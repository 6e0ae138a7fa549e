"use client";

import { Popover as Radix } from "radix-ui";
import type { ComponentProps } from "react";

import { cn } from "@/lib/cn";

export const Popover = Radix.Root;
export const PopoverTrigger = Radix.Trigger;

export function PopoverContent({ className, ...rest }: ComponentProps<typeof Radix.Content>) {
  return (
    <Radix.Portal>
      <Radix.Content
        sideOffset={6}
        collisionPadding={8}
        className={cn(
          "z-50 animate-slide-in rounded-xl border border-line bg-raised p-3 shadow-pop",
          className,
        )}
        {...rest}
      />
    </Radix.Portal>
  );
}
