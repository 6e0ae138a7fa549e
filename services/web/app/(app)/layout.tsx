import type { Metadata } from "next";
import { headers } from "next/headers";
import { redirect } from "next/navigation";
import type { ReactNode } from "react";

import { SessionKeeper } from "@/features/account/session-keeper";
import { AppShell } from "@/features/shell/app-shell";
import { Providers } from "@/features/shell/providers";
import { signInPath } from "@/lib/auth/next-path";
import { currentSession } from "@/lib/auth/session";

export const metadata: Metadata = { robots: { index: false, follow: false } };

export default async function SignedInLayout({ children }: { children: ReactNode }) {
  const session = await currentSession();
  // proxy.ts says where the request was going.
  if (!session) redirect(signInPath((await headers()).get("x-taskflow-path") ?? "/"));
  const { id, name, email } = session.user;
  return (
    <Providers user={{ id, name, email }}>
      <SessionKeeper />
      <AppShell>{children}</AppShell>
    </Providers>
  );
}
