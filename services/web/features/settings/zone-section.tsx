"use client";

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";

import { Button } from "@/components/ui/button";
import { Skeleton } from "@/components/ui/skeleton";
import { useToast } from "@/components/ui/toast";
import { ApiError } from "@/lib/api/problem";
import { browserZone, canonicalZone } from "@/lib/time/clock";
import { profileQuery, saveZone } from "@/lib/time/profile";
import { remember } from "@/lib/time/zone-question";
import { useUser } from "@/lib/user";

import { LoadFailed } from "./load-failed";
import { Section } from "./section";
import { ZonePicker } from "./zone-picker";

export function ZoneSection() {
  const user = useUser();
  const queries = useQueryClient();
  const toast = useToast();
  const { queryKey } = profileQuery(user.id);
  const profile = useQuery(profileQuery(user.id));

  const save = useMutation({
    mutationFn: (zone: string) => {
      if (!profile.data) throw new Error("There is no profile yet.");
      return saveZone(profile.data, zone);
    },
    onSuccess: (saved) => {
      remember(user.id, browserZone()); // who has just chosen need not be asked
      queries.setQueryData(queryKey, saved);
      toast({ title: `Your time zone is ${saved.time_zone}`, tone: "ok" });
    },
    onError: async (error) => {
      const elsewhere = error instanceof ApiError && error.status === 412;
      toast({
        title: elsewhere ? "The time zone was changed elsewhere" : "The time zone was not changed",
        description: elsewhere
          ? "What is set now is shown. Choose again if it should be another."
          : error.message,
        tone: "danger",
      });
      await queries.invalidateQueries({ queryKey });
    },
  });

  return (
    <Section
      title="Time zone"
      about="Decides when a day begins, when tasks are due and when repeating ones come again."
    >
      {profile.isError && <LoadFailed error={profile.error} onRetry={() => void profile.refetch()} />}
      {profile.isPending && <Skeleton className="h-10 w-72" />}
      {profile.data && (
        <>
          <ZonePicker
            value={profile.data.time_zone}
            busy={save.isPending}
            onChange={(zone) => save.mutate(zone)}
          />
          <Detected
            profile={profile.data.time_zone}
            busy={save.isPending}
            onUse={(zone) => save.mutate(zone)}
          />
        </>
      )}
    </Section>
  );
}

function Detected(props: { profile: string; busy: boolean; onUse: (zone: string) => void }) {
  const device = browserZone();
  if (canonicalZone(device) === canonicalZone(props.profile)) {
    return <p className="text-sm text-muted">This device is in the same zone.</p>;
  }
  return (
    <div className="flex flex-wrap items-center gap-x-3 gap-y-2 rounded-lg bg-warn-soft px-3 py-2 text-sm">
      <p className="flex-1 text-warn">
        This device is in <strong className="font-semibold">{device}</strong>.
      </p>
      <Button size="sm" disabled={props.busy} onClick={() => props.onUse(device)}>
        Use {device}
      </Button>
    </div>
  );
}
