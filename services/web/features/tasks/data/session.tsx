"use client";

import { type QueryClient, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, createContext, useContext, useEffect, useState } from "react";

import { type ToastOptions, useToast } from "@/components/ui/toast";
import { useUser } from "@/lib/user";

import { Arrivals } from "./arrivals";
import { type Book, emptyBook, heard, idOf } from "./book";
import { Desk } from "./desk";
import { type Door, door } from "./door";
import { Fetcher } from "./fetcher";
import { keys, toldOfTasks } from "./keys";

const listsPause = 400;

/** The user's tasks in this page: what is known, what is done with it, and how news comes in. */
export type TaskSession = {
  readonly userId: string;
  readonly door: Door;
  readonly desk: Desk;
  readonly fetcher: Fetcher;
  readonly arrivals: Arrivals;
  readonly read: () => Book;
  readonly write: (change: (book: Book) => Book) => void;
  /** What is counted or listed by the server may be different now: asks anew, soon and once. */
  readonly touched: () => void;
  /** Loads everything anew that was loaded. */
  readonly reload: () => Promise<void>;
};

const Context = createContext<TaskSession | null>(null);

export function TaskSessionProvider({ children }: { children: ReactNode }) {
  const { id } = useUser();
  const client = useQueryClient();
  const say = useToast();
  const [session] = useState(() => newSession(client, id, say));
  useEffect(() => {
    session.fetcher.resume();
    return () => session.fetcher.stop();
  }, [session]);
  return <Context.Provider value={session}>{children}</Context.Provider>;
}

export function useTaskSession(): TaskSession {
  const session = useContext(Context);
  if (!session) throw new Error("useTaskSession needs a TaskSessionProvider above it");
  return session;
}

function newSession(client: QueryClient, userId: string, say: (toast: ToastOptions) => void): TaskSession {
  const key = keys.book(userId);
  // The book is never fetched as a whole, and lives as long as the page.
  client.setQueryDefaults(key, { staleTime: Infinity, gcTime: Infinity, structuralSharing: false });
  client.setQueryDefaults(keys.open(userId), { staleTime: Infinity, gcTime: Infinity });
  client.setQueryDefaults(keys.start(userId), { staleTime: Infinity, gcTime: Infinity });
  if (!client.getQueryData(key)) client.setQueryData(key, emptyBook);

  const way = door(userId);
  const read = () => client.getQueryData<Book>(key) ?? emptyBook;
  const write = (change: (book: Book) => Book) => {
    const before = read();
    const after = change(before);
    if (after !== before) client.setQueryData(key, after);
  };

  let waiting: ReturnType<typeof setTimeout> | undefined;
  const touched = () => {
    waiting ??= setTimeout(() => {
      waiting = undefined;
      void client.invalidateQueries({ queryKey: keys.lists(userId) });
      for (const name of toldOfTasks) void client.invalidateQueries({ queryKey: [name, userId] });
    }, listsPause);
  };
  const reload = async () => {
    touched();
    await client.refetchQueries({ queryKey: keys.open(userId) }, { throwOnError: true });
  };

  const arrivals = new Arrivals();
  const desk = new Desk({
    door: way,
    read,
    write,
    say,
    settled: () => {
      fetcher.settled();
      touched();
    },
  });
  const fetcher = new Fetcher({
    known: (id) => read().known.get(id),
    ours: (id) => desk.busy(id) || (desk.creating && !read().known.has(id)),
    get: (id) => way.get(id),
    heard: (news) => write((book) => heard(book, news)),
    reload,
    arrived: (ids) => arrivals.add(ids.map((id) => idOf(read(), id))),
  });
  return { userId, door: way, desk, fetcher, arrivals, read, write, touched, reload };
}
