"use client";

import { useSearchParams } from "next/navigation";
import { useCallback, useMemo, useState } from "react";

import { newId } from "./transport";

/** Which conversation is shown. */
export type Current = {
  /** Another one for each conversation that is opened or begun. */
  key: string;
  /** The conversation whose history is to be read; null for a new one. */
  opened: string | null;
  /** The conversation's id as far as it is known: a new one gets it with its first answer. */
  id: string | null;
  /** Opens a conversation, or begins one (null). */
  open: (conversationId: string | null) => void;
  /** The server named the conversation that was begun. */
  named: (conversationId: string) => void;
};

type State = { key: string; opened: string | null; id: string | null };

function begun(conversationId: string | null): State {
  return { key: newId(), opened: conversationId, id: conversationId };
}

/** The panel's conversation, which is there again after a reload of the same tab. */
export function useStoredConversation(userId: string): Current {
  const name = `taskflow.chat.${userId}`;
  const [state, setState] = useState(() => begun(read(name)));
  const open = useCallback(
    (id: string | null) => {
      write(name, id);
      setState(begun(id));
    },
    [name],
  );
  const named = useCallback(
    (id: string) => {
      write(name, id);
      setState((now) => (now.id === id ? now : { ...now, id }));
    },
    [name],
  );
  return useMemo(() => ({ ...state, open, named }), [state, open, named]);
}

// A browser may refuse to store; then a reload begins anew.
function read(name: string): string | null {
  try {
    return sessionStorage.getItem(name);
  } catch {
    return null;
  }
}

function write(name: string, id: string | null) {
  try {
    if (id) sessionStorage.setItem(name, id);
    else sessionStorage.removeItem(name);
  } catch {
    // as above
  }
}

const parameter = "conversation";

/** The page's conversation, which its address names. */
export function useAddressedConversation(): Current {
  const address = useSearchParams().get(parameter);
  const [state, setState] = useState(() => begun(address));
  const [seen, setSeen] = useState(address);
  // The user went back or forward. What this page itself did to the address is known already.
  if (address !== seen) {
    setSeen(address);
    if (address !== state.id) setState(begun(address));
  }
  const open = useCallback((id: string | null) => {
    setState(begun(id));
    history.pushState(null, "", addressOf(id));
  }, []);
  const named = useCallback((id: string) => {
    setState((now) => (now.id === id ? now : { ...now, id }));
    if (new URLSearchParams(location.search).get(parameter) !== id)
      history.replaceState(null, "", addressOf(id));
  }, []);
  return useMemo(() => ({ ...state, open, named }), [state, open, named]);
}

function addressOf(id: string | null): string {
  const parameters = new URLSearchParams(location.search);
  if (id) parameters.set(parameter, id);
  else parameters.delete(parameter);
  const query = parameters.toString();
  return query ? `?${query}` : location.pathname;
}
