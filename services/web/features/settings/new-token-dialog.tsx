"use client";

import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";

import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { Field } from "@/components/ui/field";
import { Input, Select } from "@/components/ui/input";
import { ApiError } from "@/lib/api/problem";
import { useUser } from "@/lib/user";

import { CopyButton } from "./copy-button";
import { type NewToken, createToken, tokensQuery } from "./tokens";

const lifetimes = [7, 30, 90, 365];

/** Asks what the token is for, makes it, and shows it this once. */
export function NewTokenDialog({ onClose }: { onClose: () => void }) {
  const user = useUser();
  const queries = useQueryClient();
  const [unnamed, setUnnamed] = useState(false);
  const make = useMutation({
    mutationFn: (token: NewToken) => createToken(user.id, token),
    onSuccess: () => queries.invalidateQueries({ queryKey: tokensQuery(user.id).queryKey }),
    gcTime: 0, // the secret does not stay in memory behind the dialog
  });

  function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const data = new FormData(event.currentTarget);
    const name = String(data.get("name")).trim();
    setUnnamed(!name);
    if (!name || make.isPending) return;
    make.mutate({
      name,
      scope: data.get("scope") === "write" ? "write" : "read",
      expires_in_days: Number(data.get("days")),
    });
  }

  if (make.data) {
    return (
      <Dialog
        open
        onOpenChange={(open) => !open && onClose()}
        title="Copy your token now"
        description="It is shown this once. Keep it where you keep passwords."
      >
        <div className="grid gap-3">
          <input
            readOnly
            aria-label="Token"
            value={make.data.token}
            onFocus={(event) => event.currentTarget.select()}
            className="h-10 w-full rounded-lg border border-line bg-sunken px-3 font-mono text-sm"
          />
          <div className="flex justify-end gap-2">
            <CopyButton text={make.data.token} label="Copy the token" />
            <Button size="sm" look="primary" onClick={onClose}>
              Done
            </Button>
          </div>
        </div>
      </Dialog>
    );
  }

  const error = make.error;
  const fields = error instanceof ApiError ? error.fields : [];
  const nameError = unnamed ? "Say what it is for." : fields.find((f) => f.field === "name")?.message;
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      title="New API token"
      description="Give it no more than it needs."
    >
      <form noValidate onSubmit={submit} className="grid gap-4">
        {error && !nameError && (
          <p role="alert" className="text-sm text-danger">
            {error.message}
          </p>
        )}
        <Field label="What it is for" error={nameError}>
          <Input name="name" maxLength={100} placeholder="Nightly backup" autoFocus autoComplete="off" />
        </Field>
        <div className="grid gap-4 sm:grid-cols-2">
          <Field label="It may">
            <Select name="scope" defaultValue="read">
              <option value="read">read</option>
              <option value="write">read and write</option>
            </Select>
          </Field>
          <Field label="It expires after">
            <Select name="days" defaultValue={90}>
              {lifetimes.map((days) => (
                <option key={days} value={days}>
                  {days === 365 ? "a year" : `${days} days`}
                </option>
              ))}
            </Select>
          </Field>
        </div>
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" look="primary" busy={make.isPending}>
            Create token
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
