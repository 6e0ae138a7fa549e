"use client";

import { CircleHelp } from "lucide-react";

import { Button } from "@/components/ui/button";
import { useOnDemand } from "@/lib/use-on-demand";

const load = () => import("./help-popup").then((m) => m.HelpPopup);

/** Tells what can be typed. */
export function Help() {
  const { part: Popup, ask, warming } = useOnDemand(load);
  const trigger = (
    <Button
      look="ghost"
      size="icon"
      aria-label="What can be typed"
      aria-haspopup="dialog"
      onClick={ask}
      {...warming}
      className="text-muted"
    >
      <CircleHelp />
    </Button>
  );
  return Popup ? <Popup trigger={trigger} /> : trigger;
}
