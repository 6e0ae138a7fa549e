"use client";

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { KeyRound, Plus } from "lucide-react";
import { useState } from "react";

import { Button } from "@/components/ui/button";
import { Chip } from "@/components/ui/chip";
import { Dialog } from "@/components/ui/dialog";
import { Skeleton } from "@/components/ui/skeleton";
import { useToast } from "@/components/ui/toast";
import { useUser } from "@/lib/user";

import { LoadFailed } from "./load-failed";
import { NewTokenDialog } from "./new-token-dialog";
import { Section } from "./section";
import { type Token, revokeToken, tokensQuery } from "./tokens";

export function TokensSection() {
  const user = useUser();
  const tokens = useQuery(tokensQuery(user.id));
  const [making, setMaking] = useState(false);
  const [revoking, setRevoking] = useState<Token | null>(null);

  return (
    <Section
      title="API tokens"
      about="For scripts and agents that act as you. A token works until it expires or you revoke it, and cannot make others."
    >
      {tokens.isError && <LoadFailed error={tokens.error} onRetry={() => void tokens.refetch()} />}
      {tokens.isPending && <Skeleton className="h-14" />}
      {tokens.data?.length === 0 && <p className="text-sm text-muted">You have none.</p>}
      {tokens.data && tokens.data.length > 0 && (
        <ul aria-label="API tokens" className="divide-y divide-line rounded-lg border border-line">
          {tokens.data.map((token) => (
            <TokenRow key={token.id} token={token} onRevoke={() => setRevoking(token)} />
          ))}
        </ul>
      )}
      <Button className="justify-self-start" disabled={!tokens.data} onClick={() => setMaking(true)}>
        <Plus aria-hidden />
        New token
      </Button>
      {making && <NewTokenDialog onClose={() => setMaking(false)} />}
      {revoking && <RevokeDialog token={revoking} onClose={() => setRevoking(null)} />}
    </Section>
  );
}

const day = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric" });

function TokenRow({ token, onRevoke }: { token: Token; onRevoke: () => void }) {
  return (
    <li className="flex flex-wrap items-center gap-x-3 gap-y-1 px-3 py-2.5">
      <KeyRound aria-hidden className="size-4 text-muted" />
      <div className="min-w-0 flex-1">
        <p className="flex flex-wrap items-center gap-2 text-sm font-medium">
          <span className="min-w-0 break-words">{token.name}</span>
          <Chip tone={token.scope === "write" ? "warn" : "neutral"}>{token.scope}</Chip>
        </p>
        <p className="text-sm text-muted">
          Expires {day.format(new Date(token.expires_at))} ·{" "}
          {token.last_used_at ? `last used ${day.format(new Date(token.last_used_at))}` : "never used"}
        </p>
      </div>
      <Button
        size="sm"
        look="ghost"
        className="text-danger"
        aria-label={`Revoke ${token.name}`}
        onClick={onRevoke}
      >
        Revoke
      </Button>
    </li>
  );
}

function RevokeDialog({ token, onClose }: { token: Token; onClose: () => void }) {
  const user = useUser();
  const toast = useToast();
  const queries = useQueryClient();
  const revoke = useMutation({
    mutationFn: () => revokeToken(user.id, token.id),
    onSuccess: async () => {
      onClose();
      toast({ title: `“${token.name}” is revoked`, tone: "ok" });
      await queries.invalidateQueries({ queryKey: tokensQuery(user.id).queryKey });
    },
  });
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={`Revoke “${token.name}”?`}
      description="What uses it stops working within ten seconds. This cannot be undone."
    >
      {revoke.isError && (
        <p role="alert" className="text-sm text-danger">
          {revoke.error.message}
        </p>
      )}
      <div className="flex justify-end gap-2">
        <Button onClick={onClose}>Keep it</Button>
        <Button look="danger" busy={revoke.isPending} onClick={() => revoke.mutate()}>
          Revoke
        </Button>
      </div>
    </Dialog>
  );
}
