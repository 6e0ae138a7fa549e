import { QueryClient } from "@tanstack/react-query";

import { ApiError } from "@/lib/api/problem";

const mostRetries = 3;
const longest = 15_000;
/** What could not be read is asked for again so often while it is looked at: the page then heals without a press. */
const healEvery = 15_000;

/** Whether a failed read is tried again: only what may pass, and not for long. */
export function retries(failures: number, error: unknown): boolean {
  return mayPass(error) && failures < mostRetries;
}

function mayPass(error: unknown): boolean {
  return error instanceof ApiError && error.passing;
}

/** Milliseconds until the next try: what the server asked for, else more each time, spread so that pages do not ask at once. */
export function retryDelay(failures: number, error: unknown, random: () => number = Math.random): number {
  const spread = 0.5 + random() / 2;
  if (error instanceof ApiError && error.retryAfter !== undefined)
    return Math.min(error.retryAfter * 1000, longest) + spread * 500;
  return Math.min(1000 * 2 ** failures, longest) * spread;
}

/**
 * The page's cache of what the server said. Frames tell what changed, so nothing is fetched again for being looked at; a
 * request is made also where the browser believes to be offline, because it fails with a reason while a paused one hangs.
 */
export function newQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: 30_000,
        gcTime: 10 * 60_000,
        retry: retries,
        retryDelay: (failures, error) => retryDelay(failures, error),
        refetchInterval: ({ state }) => state.status === "error" && mayPass(state.error) && healEvery,
        refetchOnWindowFocus: false,
        refetchOnReconnect: true,
        networkMode: "always",
      },
      mutations: { retry: false, networkMode: "always" },
    },
  });
}
