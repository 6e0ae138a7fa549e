"use client";

import Link from "next/link";
import { type FormEvent, useState } from "react";

import { Button } from "@/components/ui/button";
import { Field } from "@/components/ui/field";
import { Input } from "@/components/ui/input";
import { askAuth } from "@/lib/auth/client";
import { home } from "@/lib/auth/next-path";

import { emailProblem } from "./check";
import { FailureNote } from "./failure-note";
import { focusFirst } from "./focus-first";
import { leaveFor } from "./leave";
import { PasswordInput } from "./password-input";
import { useAttempt } from "./use-attempt";

export function SignInForm({ next }: { next: string }) {
  const { busy, failure, wait, attempt } = useAttempt();
  const [wrong, setWrong] = useState<{ email?: string | undefined; password?: string | undefined }>({});

  async function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const form = event.currentTarget;
    const data = new FormData(form);
    const email = String(data.get("email")).trim();
    const password = String(data.get("password"));
    const found = { email: emailProblem(email), password: password ? undefined : "Enter your password." };
    setWrong(found);
    if (focusFirst(form, found)) return;
    const done = await attempt(() => askAuth("/sign-in/email", { email, password }));
    if (done) leaveFor(next);
  }

  return (
    <>
      <div className="grid gap-1.5">
        <h1 className="text-2xl font-semibold tracking-tight">Sign in</h1>
        <p className="text-sm text-muted">
          {next === home ? "Good to see you again." : "Then you are back where you were."}
        </p>
      </div>
      {/* post, so that no password gets into an address if it is sent before the page's scripts run */}
      <form method="post" noValidate onSubmit={(event) => void submit(event)} className="grid gap-4">
        <FailureNote failure={failure} wait={wait} />
        <Field label="Email" error={wrong.email}>
          <Input
            name="email"
            type="email"
            autoComplete="username"
            autoFocus
            autoCapitalize="none"
            spellCheck={false}
          />
        </Field>
        <Field label="Password" error={wrong.password}>
          <PasswordInput name="password" autoComplete="current-password" />
        </Field>
        <Button type="submit" look="primary" busy={busy} disabled={wait > 0} className="mt-1">
          Sign in
        </Button>
      </form>
      <p className="text-sm text-muted">
        No account yet?{" "}
        <Link
          href={withNext("/sign-up", next)}
          className="font-medium text-accent underline-offset-4 hover:underline"
        >
          Create one
        </Link>
      </p>
    </>
  );
}

/** A link between the two forms that keeps where to go on. */
export function withNext(path: string, next: string): string {
  return next === home ? path : `${path}?next=${encodeURIComponent(next)}`;
}
