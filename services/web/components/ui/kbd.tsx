import type { ReactNode } from "react";

export function Kbd({ children }: { children: ReactNode }) {
  return (
    <kbd className="inline-grid min-w-5 place-content-center rounded border border-line bg-sunken px-1 font-mono text-xs leading-5 text-muted">
      {children}
    </kbd>
  );
}
