import type { Metadata } from "next";
import { redirect } from "next/navigation";

import { SignInForm } from "@/features/account/sign-in-form";
import { nextPath } from "@/lib/auth/next-path";
import { currentSession } from "@/lib/auth/session";

export const metadata: Metadata = { title: "Sign in" };

export default async function Page({ searchParams }: PageProps<"/sign-in">) {
  const next = nextPath((await searchParams)["next"]);
  if (await currentSession()) redirect(next);
  return <SignInForm next={next} />;
}
