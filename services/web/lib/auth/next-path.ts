/** Where a signed-in user begins. */
export const home = "/today";

/**
 * The path to go to after sign-in: what was asked for, if it is a page of this origin, and otherwise home. Whoever made the
 * link may have meant to lead elsewhere.
 */
export function nextPath(asked: unknown): string {
  if (typeof asked !== "string" || !asked.startsWith("/")) return home;
  const here = "http://here.invalid";
  let url: URL;
  try {
    url = new URL(asked, here);
  } catch {
    return home;
  }
  // The parser has resolved backslashes, tabs and dots by now; what it resolved to two slashes is another host again.
  if (url.origin !== here || url.pathname.startsWith("//")) return home;
  if (/^\/(sign-in|sign-up|api)(\/|$)/.test(url.pathname)) return home;
  return url.pathname + url.search + url.hash;
}

/** The sign-in page that leads back to a path. */
export function signInPath(back: string): string {
  const next = nextPath(back);
  return next === home ? "/sign-in" : `/sign-in?next=${encodeURIComponent(next)}`;
}
