import type { ReactNode } from "react";

/** What stands where there is nothing to show, or where showing failed: what is so, and what to do. */
export function Empty(props: {
  icon?: ReactNode;
  title: string;
  children?: ReactNode;
  action?: ReactNode;
  role?: "alert" | "status";
}) {
  return (
    <div role={props.role} className="grid place-items-center gap-3 px-4 py-16 text-center">
      {props.icon && <div className="text-muted [&_svg]:size-8">{props.icon}</div>}
      <p className="font-medium">{props.title}</p>
      {props.children && <div className="max-w-md text-sm text-muted">{props.children}</div>}
      {props.action}
    </div>
  );
}
