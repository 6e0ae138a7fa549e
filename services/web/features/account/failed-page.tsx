"use client";

import { TriangleAlert } from "lucide-react";

import { Button } from "@/components/ui/button";
import { Empty } from "@/components/ui/empty";

import { leaveFor } from "./leave";

/** What stands where a page failed. */
export function FailedPage({ error, onRetry }: { error: Error & { digest?: string }; onRetry: () => void }) {
  return (
    <Empty
      role="alert"
      icon={<TriangleAlert aria-hidden />}
      title="This page could not be shown"
      action={
        <div className="flex flex-wrap justify-center gap-2">
          <Button look="primary" onClick={onRetry}>
            Try again
          </Button>
          <Button onClick={() => leaveFor("/today")}>Go to today</Button>
        </div>
      }
    >
      <p>What was saved is safe. If it happens again, the server’s log has more.</p>
      {error.digest && <p className="mt-1 font-mono text-xs">Error {error.digest}</p>}
    </Empty>
  );
}
