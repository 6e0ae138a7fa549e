import { type ReactNode, useId } from "react";

import { cn } from "@/lib/cn";

/** One subject of the settings, with its heading. */
export function Section(props: { title: string; about?: ReactNode; danger?: boolean; children: ReactNode }) {
  const id = useId();
  return (
    <section
      aria-labelledby={id}
      className={cn(
        "grid gap-4 rounded-xl border border-line bg-raised p-4 sm:p-5",
        props.danger && "border-danger/40",
      )}
    >
      <div className="grid gap-1">
        <h2 id={id} className={cn("font-semibold", props.danger && "text-danger")}>
          {props.title}
        </h2>
        {props.about && <div className="text-sm text-pretty text-muted">{props.about}</div>}
      </div>
      {props.children}
    </section>
  );
}
