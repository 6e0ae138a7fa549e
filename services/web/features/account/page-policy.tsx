"use client";

import { setNonce } from "get-nonce";

declare global {
  var __zod_globalConfig: { jitless?: boolean } | undefined;
}

// Zod, below the chat, tries whether it may compile code; the policy says no and reports the attempt, so it is told before.
globalThis.__zod_globalConfig = { ...globalThis.__zod_globalConfig, jitless: true };

/**
 * Makes libraries keep to the page's policy. What Radix adds as <style> gets the nonce of the page's scripts, which scripts
 * can read and nothing that was injected can. Rendered once, in the root layout.
 */
export function PagePolicy() {
  if (typeof document !== "undefined") {
    const nonce = document.querySelector<HTMLScriptElement>("script[nonce]")?.nonce;
    if (nonce) setNonce(nonce);
  }
  return null;
}
