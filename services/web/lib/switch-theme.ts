"use client";

import { useSyncExternalStore } from "react";

import { type Theme, themeCookie, themes } from "./theme";

const query = "(prefers-color-scheme: dark)";

function isDark(): boolean {
  const { classList } = document.documentElement;
  if (classList.contains("dark")) return true;
  return !classList.contains("light") && matchMedia(query).matches;
}

function subscribe(listener: () => void): () => void {
  const media = matchMedia(query);
  media.addEventListener("change", listener);
  return () => media.removeEventListener("change", listener);
}

/** Whether the page is dark now. */
export function useDark(): boolean {
  return useSyncExternalStore(subscribe, isDark, () => false);
}

/** Shows the page in a theme, now and from now on. */
export function switchTheme(theme: Theme): void {
  document.documentElement.classList.remove(...themes);
  if (theme !== "system") document.documentElement.classList.add(theme);
  document.cookie = `${themeCookie}=${theme}; path=/; max-age=31536000; samesite=lax`;
}
