"use client";

import { type ReactNode, createContext, useContext } from "react";

export type User = { id: string; name: string; email: string };

const Context = createContext<User | null>(null);

export function UserProvider({ user, children }: { user: User; children: ReactNode }) {
  return <Context.Provider value={user}>{children}</Context.Provider>;
}

/** Who is signed in. */
export function useUser(): User {
  const user = useContext(Context);
  if (!user) throw new Error("useUser needs a UserProvider above it");
  return user;
}
