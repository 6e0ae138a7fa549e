"use client";

import { useSyncExternalStore } from "react";

const never = () => () => undefined;

/**
 * False on the server and in the render that must be as the server's was; true from then on. For what only the browser
 * knows, and for controls of Radix that set styles: in the server's HTML they would be inline styles, which the policy of
 * the page blocks.
 */
export function useInBrowser(): boolean {
  return useSyncExternalStore(
    never,
    () => true,
    () => false,
  );
}
