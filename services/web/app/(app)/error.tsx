"use client";

import { FailedPage } from "@/features/account/failed-page";

export default function Failed({ error, reset }: { error: Error & { digest?: string }; reset: () => void }) {
  return <FailedPage error={error} onRetry={reset} />;
}
