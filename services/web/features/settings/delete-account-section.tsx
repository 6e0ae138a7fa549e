"use client";

import { useMutation } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";

import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { Field } from "@/components/ui/field";
import { Input } from "@/components/ui/input";
import { leaveFor, needingSession } from "@/features/account/leave";
import { PasswordInput } from "@/features/account/password-input";
import { useUser } from "@/lib/user";

import { deleteAccount } from "./delete-account";
import { Section } from "./section";

export function DeleteAccountSection() {
  const [asking, setAsking] = useState(false);
  return (
    <Section
      title="Delete account"
      danger
      about="All your tasks, their history, your conversations, API tokens and your account are deleted for good, at once, on every device. Nobody can bring them back; export them first if you may want them."
    >
      <Button look="danger" className="justify-self-start" onClick={() => setAsking(true)}>
        Delete everything…
      </Button>
      {asking && <DeleteDialog onClose={() => setAsking(false)} />}
    </Section>
  );
}

function DeleteDialog({ onClose }: { onClose: () => void }) {
  const user = useUser();
  const [wrong, setWrong] = useState<{ email?: string; password?: string }>({});
  const remove = useMutation({
    mutationFn: (password: string) => needingSession(() => deleteAccount(user.id, password)),
    onSuccess: (stopped) => {
      if (!stopped) leaveFor("/sign-up");
    },
  });
  const stopped = remove.data ?? undefined;
  // Until the page is another, nothing may be pressed twice.
  const busy = remove.isPending || remove.data === null;

  function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    if (busy) return;
    const data = new FormData(event.currentTarget);
    const email = String(data.get("email")).trim().toLowerCase();
    const password = String(data.get("password"));
    const found = {
      ...(email === user.email.toLowerCase() ? {} : { email: `Type ${user.email} to go on.` }),
      ...(password ? {} : { password: "Enter your password." }),
    };
    setWrong(found);
    if (Object.keys(found).length === 0) remove.mutate(password);
  }

  return (
    <Dialog
      open
      onOpenChange={(open) => !open && !busy && onClose()}
      title="Delete your account?"
      description="All tasks, their history, conversations and API tokens go with it, for good."
    >
      <form noValidate onSubmit={submit} className="grid gap-4">
        {stopped && stopped.step !== "password" && (
          <div role="alert" className="grid gap-1 rounded-lg bg-danger-soft px-3 py-2.5 text-sm text-danger">
            <p className="font-medium">
              {stopped.step === "tasks"
                ? "Nothing has been deleted yet."
                : "Your tasks are deleted, but your account is not yet."}
            </p>
            <p>{stopped.message} You can try again, now or later.</p>
          </div>
        )}
        <Field label="Your e-mail address" hint={user.email} error={wrong.email}>
          <Input
            name="email"
            type="email"
            autoComplete="off"
            autoCapitalize="none"
            spellCheck={false}
            autoFocus
          />
        </Field>
        <Field
          label="Your password"
          error={wrong.password ?? (stopped?.step === "password" ? stopped.message : undefined)}
        >
          <PasswordInput name="password" autoComplete="current-password" />
        </Field>
        <div className="flex justify-end gap-2">
          <Button disabled={busy} onClick={onClose}>
            Keep everything
          </Button>
          <Button type="submit" look="danger" busy={busy}>
            Delete everything
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
