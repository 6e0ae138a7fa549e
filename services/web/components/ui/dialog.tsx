"use client";

import { X } from "lucide-react";
import { Dialog as Radix } from "radix-ui";
import type { ReactNode } from "react";

import { cn } from "@/lib/cn";

import { Button } from "./button";

type Props = {
  open: boolean;
  onOpenChange: (open: boolean) => void;
  title: ReactNode;
  /** Read out with the title; may be hidden from view with `hideDescription`. */
  description?: ReactNode;
  /** "sheet" comes from the right side, or from below on a phone. */
  kind?: "dialog" | "sheet";
  className?: string;
  children: ReactNode;
};

/** A modal dialog: focus begins at what has data-autofocus, or at its beginning, stays in it, Escape closes it and focus returns to where it was. */
export function Dialog({
  open,
  onOpenChange,
  title,
  description,
  kind = "dialog",
  className,
  children,
}: Props) {
  return (
    <Radix.Root open={open} onOpenChange={onOpenChange}>
      <Radix.Portal>
        <Radix.Overlay className="fixed inset-0 z-40 bg-black/40" />
        <Radix.Content
          // The first control is the one that closes it, which nobody came for.
          onOpenAutoFocus={(event) => {
            event.preventDefault();
            const content = event.currentTarget as HTMLElement;
            (content.querySelector<HTMLElement>("[data-autofocus]") ?? content).focus();
          }}
          {...(description ? {} : { "aria-describedby": undefined })}
          className={cn(
            "fixed z-50 grid animate-slide-in content-start gap-4 overflow-y-auto bg-raised p-5 shadow-pop outline-none",
            kind === "dialog" &&
              "top-1/2 left-1/2 max-h-[90dvh] w-[min(32rem,calc(100vw-2rem))] -translate-x-1/2 -translate-y-1/2 rounded-2xl border border-line",
            kind === "sheet" &&
              "inset-x-0 bottom-0 max-h-[92dvh] rounded-t-2xl border-t border-line sm:inset-y-0 sm:right-0 sm:left-auto sm:max-h-none sm:w-[28rem] sm:rounded-none sm:border-t-0 sm:border-l",
            className,
          )}
        >
          <div className="flex items-start justify-between gap-4">
            <div className="grid gap-1">
              <Radix.Title className="text-lg font-semibold">{title}</Radix.Title>
              {description && (
                <Radix.Description className="text-sm text-muted">{description}</Radix.Description>
              )}
            </div>
            <Radix.Close asChild>
              <Button look="ghost" size="icon" aria-label="Close">
                <X />
              </Button>
            </Radix.Close>
          </div>
          {children}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}
