"use client";

import Link from "next/link";
import { type ChangeEvent, type FocusEvent, type FormEvent, useState } from "react";

import { Button } from "@/components/ui/button";
import { Field } from "@/components/ui/field";
import { Input } from "@/components/ui/input";
import { tasksApi } from "@/lib/api/client";
import { askAuth } from "@/lib/auth/client";

import { emailProblem, nameProblem, newPasswordProblem } from "./check";
import { FailureNote } from "./failure-note";
import { focusFirst } from "./focus-first";
import { leaveFor } from "./leave";
import { PasswordInput } from "./password-input";
import { withNext } from "./sign-in-form";
import { useAttempt } from "./use-attempt";

const problems = { name: nameProblem, email: emailProblem, password: newPasswordProblem };
type Name = keyof typeof problems;

export function SignUpForm({ next }: { next: string }) {
  const { busy, failure, wait, attempt } = useAttempt();
  const [wrong, setWrong] = useState<Partial<Record<Name, string | undefined>>>({});

  /** Complains of a field that was left, but not of one that nobody has filled in yet. */
  function left(name: Name, value: string) {
    if (value) setWrong((now) => ({ ...now, [name]: problems[name](value) }));
  }

  /**
   * Takes a complaint back while it is being mended. Not when the field is left for the button: that would move up under
   * the finger, and the press be lost.
   */
  function mended(name: Name, value: string) {
    if (wrong[name]) setWrong((now) => ({ ...now, [name]: problems[name](value) }));
  }

  const checks = (name: Name) => ({
    onBlur: (event: FocusEvent<HTMLInputElement>) => left(name, event.target.value),
    onChange: (event: ChangeEvent<HTMLInputElement>) => mended(name, event.target.value),
  });

  async function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const form = event.currentTarget;
    const data = new FormData(form);
    const name = String(data.get("name")).trim();
    const email = String(data.get("email")).trim();
    const password = String(data.get("password"));
    const found = {
      name: nameProblem(name),
      email: emailProblem(email),
      password: newPasswordProblem(password),
    };
    setWrong(found);
    if (focusFirst(form, found)) return;
    let id = "";
    const done = await attempt(async () => {
      const { user } = await askAuth<{ user: { id: string } }>("/sign-up/email", { name, email, password });
      id = user.id;
    });
    if (!done) return;
    await sendZone(id);
    leaveFor(next);
  }

  const ofField = (name: Name) => wrong[name] ?? (failure?.field === name ? failure.message : undefined);
  return (
    <>
      <div className="grid gap-1.5">
        <h1 className="text-2xl font-semibold tracking-tight">Create your account</h1>
        <p className="text-sm text-muted">It takes a name, an address and a password.</p>
      </div>
      {/* post, so that no password gets into an address if it is sent before the page's scripts run */}
      <form method="post" noValidate onSubmit={(event) => void submit(event)} className="grid gap-4">
        <FailureNote failure={failure?.field ? null : failure} wait={wait} />
        <Field label="Name" error={ofField("name")}>
          <Input name="name" autoComplete="name" autoFocus maxLength={200} {...checks("name")} />
        </Field>
        <Field label="Email" error={ofField("email")}>
          <Input
            name="email"
            type="email"
            autoComplete="username"
            autoCapitalize="none"
            spellCheck={false}
            {...checks("email")}
          />
        </Field>
        <Field label="Password" hint="At least 8 characters." error={ofField("password")}>
          <PasswordInput name="password" autoComplete="new-password" {...checks("password")} />
        </Field>
        <Button type="submit" look="primary" busy={busy} disabled={wait > 0} className="mt-1">
          Create account
        </Button>
      </form>
      <p className="text-sm text-muted">
        Have an account?{" "}
        <Link
          href={withNext("/sign-in", next)}
          className="font-medium text-accent underline-offset-4 hover:underline"
        >
          Sign in
        </Link>
      </p>
    </>
  );
}

/** Days begin when they do where the user is. If it fails, the page asks later. */
async function sendZone(id: string): Promise<void> {
  try {
    await tasksApi.PUT("/api/{user_id}/profile", {
      params: { path: { user_id: id }, header: { "If-Match": "*" } },
      body: { time_zone: Intl.DateTimeFormat().resolvedOptions().timeZone },
      signal: AbortSignal.timeout(3000),
    });
  } catch {
    // The account exists whether or not task-api answers.
  }
}
