"use client";

import { useState } from "react";

import { useToast } from "@/components/ui/toast";

/**
 * A part of the page that comes when it is first asked for: null until then. What stands for it meanwhile should `warm` it
 * as soon as someone is about to use it. `load` is the same function at every render.
 */
export function useOnDemand<T>(load: () => Promise<T>) {
  const [part, setPart] = useState<{ is: T } | null>(null);
  const say = useToast();
  const ask = () => {
    load().then(
      (is) => setPart({ is }),
      () =>
        say({
          title: "This could not be loaded",
          description: "Check the connection and try again, or load the page anew.",
          tone: "danger",
        }),
    );
  };
  const warm = () => void load().catch(() => undefined);
  return { part: part?.is ?? null, ask, warming: { onPointerEnter: warm, onFocus: warm } };
}
