"use client";

import type { ReactNode } from "react";

import { Button } from "@/components/ui/button";
import { useOnDemand } from "@/lib/use-on-demand";

import type { Task } from "./model";
import type { RowItem } from "./task-row";

const load = () => import("./row-popup").then((m) => m.RowPopup);

/** What else can be done with a task. The menu is made when it is first asked for: a list has hundreds of rows. */
export function RowMenu(props: { task: Task; onPick: (item: RowItem) => void; children: ReactNode }) {
  const { task } = props;
  const { part: Popup, ask, warming } = useOnDemand(load);
  const trigger = (
    <Button
      look="ghost"
      aria-label={`More for ${task.title}`}
      aria-haspopup="menu"
      onClick={ask}
      {...warming}
      className="-my-1 size-7 rounded-md p-0 text-muted lg:absolute lg:top-2.5 lg:-right-8 lg:opacity-0 lg:group-focus-within:opacity-100 lg:group-hover:opacity-100 lg:focus-visible:opacity-100 lg:aria-expanded:opacity-100"
    >
      {props.children}
    </Button>
  );
  return Popup ? <Popup task={task} trigger={trigger} onPick={props.onPick} /> : trigger;
}
