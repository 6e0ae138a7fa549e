"use client";

import { useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useCallback, useEffect, useMemo, useRef, useState } from "react";

import { leaveFor, sessionFree } from "@/features/account/leave";
import { type TaskSession, useTaskSession } from "@/features/tasks/data/session";
import { useStart } from "@/features/tasks/use-tasks";
import { ApiError } from "@/lib/api/problem";
import { renewed } from "@/lib/api/renew";
import { askAuth } from "@/lib/auth/client";

import { follow } from "./follow";
import type { Frame } from "./frames";
import { Live, type LiveStatus } from "./live";
import { LiveContext } from "./use-live";
import { useReminders } from "./use-reminders";

/** Keeps the page up to date: one socket per page, from the place in the log at which loading began. */
export function LiveProvider({ children }: { children: ReactNode }) {
  const session = useTaskSession();
  const start = useStart();
  const [status, setStatus] = useState<LiveStatus>({ state: "connecting", reconnecting: false });
  const live = useRef<Live | null>(null);
  const take = useFollowing(session);
  const recover = useRecovery();

  const since = start.data;
  useEffect(() => {
    if (since === undefined) return;
    const now = new Live(
      {
        url: (seen) => socketAddress(session.userId, seen),
        changes: session.door.changes,
        frame: take,
        // What went wrong shows where the list is, with a way to try again.
        resync: () => void session.reload().catch(() => undefined),
        status: (next) => {
          setStatus(next);
          if (next.state === "live") recover();
        },
        renewed,
        leave: () => void leave(),
        unreached: (error) => error instanceof ApiError && error.status === 0,
        online: () => navigator.onLine,
      },
      live.current?.seen ?? since,
    );
    live.current = now;
    now.start();
    const end = watchPage(now);
    return () => {
      end();
      now.stop();
    };
  }, [since, session, take, recover]);

  const wake = useCallback(() => live.current?.wake(), []);
  const unreached = start.error instanceof ApiError && start.error.status === 0;
  const value = useMemo(
    () => (unreached ? { state: "offline" as const, reconnecting: false, wake } : { ...status, wake }),
    [unreached, status, wake],
  );
  return <LiveContext.Provider value={value}>{children}</LiveContext.Provider>;
}

/** Takes a frame in. The same function always, so that the connection stands while what it calls changes. */
function useFollowing(session: TaskSession): (frame: Frame) => void {
  const client = useQueryClient();
  const remind = useReminders();
  const latest = useRef(remind);
  useEffect(() => {
    latest.current = remind;
  }, [remind]);
  return useCallback(
    (frame) =>
      follow(frame, {
        read: session.read,
        write: session.write,
        want: (id, version) => session.fetcher.want(id, version),
        touched: session.touched,
        remind: (reminder) => latest.current(reminder),
        profileChanged: () => void client.invalidateQueries({ queryKey: ["profile", session.userId] }),
      }),
    [client, session],
  );
}

/** What could not be read while the server was away is read again when it is back. */
function useRecovery(): () => void {
  const client = useQueryClient();
  return useCallback(
    () =>
      void client.refetchQueries({ type: "active", predicate: (query) => query.state.status === "error" }),
    [client],
  );
}

function socketAddress(userId: string, since: number): string {
  const { protocol, host } = location;
  const secure = protocol === "https:" ? "wss:" : "ws:";
  return `${secure}//${host}/ws/user/${encodeURIComponent(userId)}/tasks?since=${since}`;
}

function watchPage(live: Live): () => void {
  const listening = new AbortController();
  const { signal } = listening;
  const network = () => live.networkChanged();
  window.addEventListener("online", network, { signal });
  window.addEventListener("offline", network, { signal });
  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && live.wake(), {
    signal,
  });
  // A page with an open socket is not kept for the way back.
  window.addEventListener("pagehide", () => live.stop(), { signal });
  window.addEventListener("pageshow", (event) => event.persisted && live.start(), { signal });
  return () => listening.abort();
}

/** The session belongs to another user, or to none any more. */
async function leave(): Promise<void> {
  // Who deletes the account, here or in another window, is forgotten by the services before the account itself goes.
  await sessionFree();
  await askAuth("/sign-out").catch(() => undefined);
  leaveFor("/sign-in");
}
