"use client";

import { useState } from "react";

import type { parse } from "./parse";

type Parse = typeof parse;

let loaded: Parse | null = null;

async function load(): Promise<Parse> {
  loaded = (await import("./parse")).parse;
  return loaded;
}

/**
 * What understands a line of text. It is a large part of the page's own code and of use to whoever types, so it is loaded
 * when someone is about to (`ask`), and null until then.
 */
export function useParser(): { parse: Parse | null; ask: () => Promise<Parse> } {
  const [parse, setParse] = useState<Parse | null>(() => loaded);
  const ask = async () => {
    const now = loaded ?? (await load());
    setParse(() => now);
    return now;
  };
  return { parse, ask };
}
