"use client";

import { Menu as MenuIcon } from "lucide-react";
import { useRef, useState } from "react";

import { Button } from "@/components/ui/button";
import { useOnDemand } from "@/lib/use-on-demand";

const load = () => import("./drawer-panel").then((m) => m.DrawerPanel);

/** The navigation of a narrow page, behind its button. */
export function Drawer() {
  const [open, setOpen] = useState(false);
  const button = useRef<HTMLButtonElement>(null);
  const { part: Panel, ask, warming } = useOnDemand(load);
  return (
    <>
      <Button
        ref={button}
        look="ghost"
        size="icon"
        aria-label="Open navigation"
        aria-haspopup="dialog"
        aria-expanded={open}
        onClick={() => {
          setOpen(true);
          ask();
        }}
        {...warming}
        className="md:hidden"
      >
        <MenuIcon className="size-5!" />
      </Button>
      {open && Panel && <Panel onClose={() => setOpen(false)} opener={button} />}
    </>
  );
}
