"use client";

import { FailedPage } from "@/features/account/failed-page";

export default function Failed({ error, reset }: { error: Error & { digest?: string }; reset: () => void }) {
  return (
    <main className="grid min-h-dvh content-center">
      <FailedPage error={error} onRetry={reset} />
    </main>
  );
}
