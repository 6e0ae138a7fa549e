"use client";

import { buttonLook } from "@/components/ui/button-look";
import { Empty } from "@/components/ui/empty";

import { leaveFor } from "./leave";

/**
 * What stands where a page failed. Every page brings it along, and more than once, so it is made of as little as possible:
 * no Button and no icon of the library.
 */
export function FailedPage({ error, onRetry }: { error: Error & { digest?: string }; onRetry: () => void }) {
  return (
    <Empty
      role="alert"
      icon={<Sign />}
      title="This page could not be shown"
      action={
        <div className="flex flex-wrap justify-center gap-2">
          <button type="button" className={buttonLook({ look: "primary" })} onClick={onRetry}>
            Try again
          </button>
          <button type="button" className={buttonLook()} onClick={() => leaveFor("/today")}>
            Go to today
          </button>
        </div>
      }
    >
      <p>What was saved is safe. If it happens again, the server’s log has more.</p>
      {error.digest && <p className="mt-1 font-mono text-xs">Error {error.digest}</p>}
    </Empty>
  );
}

/** A triangle with an exclamation mark. */
function Sign() {
  return (
    <svg
      aria-hidden
      viewBox="0 0 24 24"
      fill="none"
      stroke="currentColor"
      strokeWidth={2}
      strokeLinecap="round"
      strokeLinejoin="round"
    >
      <path d="M12 4 2.5 20h19zM12 10v4M12 17h.01" />
    </svg>
  );
}
