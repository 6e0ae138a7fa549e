import type { Metadata } from "next";
import { redirect } from "next/navigation";

import { SignUpForm } from "@/features/account/sign-up-form";
import { nextPath } from "@/lib/auth/next-path";
import { currentSession } from "@/lib/auth/session";

export const metadata: Metadata = { title: "Create an account" };

export default async function Page({ searchParams }: PageProps<"/sign-up">) {
  const next = nextPath((await searchParams)["next"]);
  if (await currentSession()) redirect(next);
  return <SignUpForm next={next} />;
}
