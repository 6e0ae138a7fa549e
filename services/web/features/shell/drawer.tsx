"use client";

import { Menu as MenuIcon, X } from "lucide-react";
import { Dialog as Radix } from "radix-ui";
import { useState } from "react";

import { Button } from "@/components/ui/button";

import { Brand } from "./brand";
import { Navigation } from "./navigation";

/** The navigation of a narrow page, behind its button. */
export function Drawer() {
  const [open, setOpen] = useState(false);
  return (
    <Radix.Root open={open} onOpenChange={setOpen}>
      <Radix.Trigger asChild>
        <Button look="ghost" size="icon" aria-label="Open navigation" className="md:hidden">
          <MenuIcon className="size-5!" />
        </Button>
      </Radix.Trigger>
      <Radix.Portal>
        <Radix.Overlay className="fixed inset-0 z-40 bg-black/40 md:hidden" />
        <Radix.Content
          aria-describedby={undefined}
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
          <Navigation onFollow={() => setOpen(false)} />
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}
