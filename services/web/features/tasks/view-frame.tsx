import type { ReactNode } from "react";

/** A page with its heading, in the one column of the whole application. */
export function ViewFrame(props: {
  title: string;
  /** Said more quietly beside the title. */
  aside?: string | undefined;
  count?: number | undefined;
  tools?: ReactNode;
  children: ReactNode;
}) {
  return (
    <div className="mx-auto w-full max-w-[52rem] px-4 pt-6 pb-32 sm:px-8 sm:pt-10 lg:px-10">
      <div className="pb-4 sm:pb-5">
        <div className="flex flex-wrap items-center justify-between gap-x-2">
          <h1 className="text-2xl font-semibold tracking-tight">{props.title}</h1>
          {props.tools}
        </div>
        {/* Its line is there before what stands in it is known. */}
        <p className="min-h-5 text-sm text-muted tabular-nums">
          {[props.aside, props.count ? said(props.count) : undefined].filter(Boolean).join(" · ")}
        </p>
      </div>
      {props.children}
    </div>
  );
}

function said(count: number): string {
  return count === 1 ? "1 task" : `${count} tasks`;
}
