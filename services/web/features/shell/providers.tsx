"use client";

import { QueryClientProvider } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";

import { ToastProvider } from "@/components/ui/toast";
import { LiveProvider } from "@/features/live/live-provider";
import { TaskSessionProvider } from "@/features/tasks/data/session";
import { newQueryClient } from "@/lib/query";
import { ZoneProvider } from "@/lib/time/zone";
import { type User, UserProvider } from "@/lib/user";

/** What every page of a signed-in user stands in. Another user gets another cache. */
export function Providers({ user, children }: { user: User; children: ReactNode }) {
  return (
    <UserProvider user={user} key={user.id}>
      <Server>
        <ToastProvider>
          <ZoneProvider>
            <TaskSessionProvider>
              <LiveProvider>{children}</LiveProvider>
            </TaskSessionProvider>
          </ZoneProvider>
        </ToastProvider>
      </Server>
    </UserProvider>
  );
}

function Server({ children }: { children: ReactNode }) {
  const [client] = useState(newQueryClient);
  return <QueryClientProvider client={client}>{children}</QueryClientProvider>;
}
