"use client";

import { useQuery } from "@tanstack/react-query";
import dynamic from "next/dynamic";
import { type ReactNode, createContext, useContext, useSyncExternalStore } from "react";

import { useUser } from "@/lib/user";

import { browserZone, canonicalZone, isZone } from "./clock";
import { profileQuery } from "./profile";

const ZoneQuestion = dynamic(() => import("./zone-question").then((m) => m.ZoneQuestion), { ssr: false });

const Context = createContext<string | null>(null);

const never = () => () => undefined;

/**
 * Gives the zone of the user's profile to what stands in it; until that is known, and for a zone this browser does not
 * know, the device's. Asks once on each device that is in another zone which one to use.
 */
export function ZoneProvider({ children }: { children: ReactNode }) {
  const user = useUser();
  // The server does not know the browser's zone; the first render in the browser must be as the server's was.
  const device = useSyncExternalStore(never, browserZone, () => "UTC");
  const { data: profile } = useQuery(profileQuery(user.id));
  const zone = profile && isZone(profile.time_zone) ? profile.time_zone : device;
  const elsewhere = profile && canonicalZone(profile.time_zone) !== canonicalZone(device);
  return (
    <Context.Provider value={zone}>
      {children}
      {elsewhere && <ZoneQuestion key={profile.user_id} profile={profile} device={device} />}
    </Context.Provider>
  );
}

/** The IANA time zone of the user. */
export function useZone(): string {
  const zone = useContext(Context);
  if (!zone) throw new Error("useZone needs a ZoneProvider above it");
  return zone;
}
