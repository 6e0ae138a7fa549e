import { CircleAlert } from "lucide-react";

import type { Failure } from "./failure";

/** Why it did not work, read out when it appears. */
export function FailureNote({ failure, wait }: { failure: Failure | null; wait: number }) {
  if (!failure || (failure.retryAfter && wait <= 0)) return null;
  return (
    <div
      role="alert"
      className="flex items-start gap-2.5 rounded-lg border border-danger/40 bg-danger-soft px-3 py-2.5 text-sm text-danger"
    >
      <CircleAlert aria-hidden className="mt-0.5 size-4 shrink-0" />
      <p>
        {failure.message}
        {failure.retryAfter && (
          // The seconds pass silently: read out once, not every second.
          <>
            {" "}
            <span className="sr-only">Try again in {failure.retryAfter} s.</span>
            <span aria-hidden className="tabular-nums">
              Try again in {wait} s.
            </span>
          </>
        )}
      </p>
    </div>
  );
}
