"use client";

import "./globals.css";

import { FailedPage } from "@/features/account/failed-page";

/** Stands in for the whole document, where even the root layout failed. */
export default function Failed({ error, reset }: { error: Error & { digest?: string }; reset: () => void }) {
  return (
    <html lang="en">
      <body>
        <title>TaskFlow</title>
        <main className="grid min-h-dvh content-center">
          <FailedPage error={error} onRetry={reset} />
        </main>
      </body>
    </html>
  );
}
