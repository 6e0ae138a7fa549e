"use client";

import { X } from "lucide-react";
import { Dialog as Radix } from "radix-ui";
import { type ReactNode, useState } from "react";

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
export function Dialog(props: Props) {
  return (
    <Radix.Root open={props.open} onOpenChange={props.onOpenChange}>
      {props.open && <Opened {...props} />}
    </Radix.Root>
  );
}

function Opened({ title, description, kind = "dialog", className, children }: Props) {
  const [opener] = useState(openerOf);
  return (
    <Radix.Portal>
      <Radix.Overlay className="fixed inset-0 z-40 bg-black/40" />
      <Radix.Content
        // The first control is the one that closes it, which nobody came for.
        onOpenAutoFocus={(event) => {
          event.preventDefault();
          const content = event.currentTarget as HTMLElement;
          (content.querySelector<HTMLElement>("[data-autofocus]") ?? content).focus();
        }}
        // Radix gives it back to a trigger only, and these are opened from anywhere.
        onCloseAutoFocus={(event) => {
          event.preventDefault();
          const lost = !document.activeElement || document.activeElement === document.body;
          if (lost && opener?.isConnected) opener.focus({ preventScroll: true });
        }}
        // Radix hears Escape before the field does that has something of its own to give up.
        onEscapeKeyDown={(event) => {
          if (event.target instanceof Element && event.target.closest("[data-keeps-escape]"))
            event.preventDefault();
        }}
        // To undo what was done in a dialog is not to leave it. The toast may be gone from the page by now.
        onInteractOutside={(event) => {
          if (event.target instanceof Element && event.target.closest("[data-toast]")) event.preventDefault();
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
  );
}

/** What has the focus now; of a menu's item, which goes away with its menu, the button that opened the menu. */
function openerOf(): HTMLElement | null {
  if (typeof document === "undefined") return null;
  const at = document.activeElement;
  const menu = at?.closest('[role="menu"]');
  const button = menu && document.getElementById(menu.getAttribute("aria-labelledby") ?? "");
  return button ?? (at instanceof HTMLElement && at !== document.body ? at : null);
}
