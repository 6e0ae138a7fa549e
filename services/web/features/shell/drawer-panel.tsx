"use client";

import { X } from "lucide-react";
import { Dialog as Radix } from "radix-ui";
import type { RefObject } from "react";

import { Button } from "@/components/ui/button";

import { Brand } from "./brand";
import { Navigation } from "./navigation";

/** The opened navigation of a narrow page. */
export function DrawerPanel(props: { onClose: () => void; opener: RefObject<HTMLButtonElement | null> }) {
  const { onClose, opener } = props;
  return (
    <Radix.Root open onOpenChange={onClose}>
      <Radix.Portal>
        <Radix.Overlay className="fixed inset-0 z-40 bg-black/40 md:hidden" />
        <Radix.Content
          aria-describedby={undefined}
          onCloseAutoFocus={(event) => {
            event.preventDefault();
            opener.current?.focus();
          }}
          className="fixed inset-y-0 left-0 z-50 flex w-72 max-w-[85vw] animate-slide-in flex-col gap-5 overflow-y-auto bg-canvas p-4 shadow-pop md:hidden"
        >
          <Radix.Title className="sr-only">Navigation</Radix.Title>
          <div className="flex items-center justify-between">
            <Brand />
            <Radix.Close asChild>
              <Button look="ghost" size="icon" aria-label="Close navigation">
                <X />
              </Button>
            </Radix.Close>
          </div>
          <Navigation onFollow={onClose} />
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}
