"use client";

import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Globe, X } from "lucide-react";
import { useState, useSyncExternalStore } from "react";

import { Button } from "@/components/ui/button";
import { useToast } from "@/components/ui/toast";

import { type Profile, profileQuery, saveZone } from "./profile";

const keyOf = (userId: string) => `taskflow.zone.${userId}`;

// Storage may be forbidden; then the question is asked on each visit.
function answered(userId: string): string | null {
  try {
    return localStorage.getItem(keyOf(userId));
  } catch {
    return null;
  }
}

/** Notes on this device that the question is answered for a zone. */
export function remember(userId: string, zone: string) {
  try {
    localStorage.setItem(keyOf(userId), zone);
  } catch {
    // Asked again next time.
  }
}

const never = () => () => undefined;

/** Asks whether the device's zone is to be the user's, until it was answered for this zone on this device. */
export function ZoneQuestion({ profile, device }: { profile: Profile; device: string }) {
  const queries = useQueryClient();
  const toast = useToast();
  const [closed, setClosed] = useState(false);
  const before = useSyncExternalStore(
    never,
    () => answered(profile.user_id),
    () => device,
  );
  const use = useMutation({
    mutationFn: () => saveZone(profile, device),
    onSuccess: (saved) => {
      remember(profile.user_id, device);
      queries.setQueryData(profileQuery(profile.user_id).queryKey, saved);
      toast({ title: `Your time zone is ${saved.time_zone}`, tone: "ok" });
    },
    onError: async (error) => {
      toast({ title: "The time zone was not changed", description: error.message, tone: "danger" });
      await queries.invalidateQueries({ queryKey: profileQuery(profile.user_id).queryKey });
    },
  });
  if (closed || before === device) return null;
  const dismiss = () => {
    remember(profile.user_id, device);
    setClosed(true);
  };
  return (
    <section
      aria-label="Time zone"
      className="fixed bottom-0 left-1/2 z-30 my-4 flex w-[min(24rem,calc(100vw-2rem))] -translate-x-1/2 animate-slide-in items-start gap-3 rounded-xl border border-line bg-raised p-3 pl-4 text-sm shadow-pop max-md:bottom-18"
    >
      <Globe aria-hidden className="mt-1 size-4 shrink-0 text-accent" />
      <div className="grid min-w-0 flex-1 gap-2">
        <p className="pt-0.5">
          Use <strong className="font-semibold break-words">{device}</strong> as your time zone?
          <span className="block text-muted">Your tasks follow {profile.time_zone} now.</span>
        </p>
        <div className="flex flex-wrap gap-2">
          <Button size="sm" look="primary" busy={use.isPending} onClick={() => use.mutate()}>
            Use it
          </Button>
          <Button size="sm" look="ghost" onClick={dismiss}>
            Keep {profile.time_zone}
          </Button>
        </div>
      </div>
      <Button size="icon" look="ghost" className="-mt-1 -mr-1" aria-label="Dismiss" onClick={dismiss}>
        <X />
      </Button>
    </section>
  );
}
