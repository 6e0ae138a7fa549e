import type { TaskRef } from "./steps";

/** A piece of text, with the task it names if it is one's title. */
export type Piece = { text: string; task?: string };

// Shorter titles, "a" for example, would be found everywhere.
const shortest = 3;

/**
 * Text in pieces, of which those that are titles of the given tasks as whole words link to them. The longest title that
 * fits counts, and each task is linked once.
 */
export function linked(text: string, tasks: readonly TaskRef[]): Piece[] {
  const titled = tasks
    .filter((t): t is { id: string; title: string } => (t.title?.trim().length ?? 0) >= shortest)
    .sort((a, b) => b.title.length - a.title.length);
  let pieces: Piece[] = [{ text }];
  for (const { id, title } of titled) {
    const at = pieces.findIndex((p) => !p.task && wordAt(p.text, title) >= 0);
    const found = pieces[at];
    if (!found) continue;
    const start = wordAt(found.text, title);
    pieces = [
      ...pieces.slice(0, at),
      { text: found.text.slice(0, start) },
      { text: found.text.slice(start, start + title.length), task: id },
      { text: found.text.slice(start + title.length) },
      ...pieces.slice(at + 1),
    ].filter((p) => p.text !== "");
  }
  return pieces;
}

/** Where words stand in text without going on at either end; -1 if they do not. Case counts. */
function wordAt(text: string, words: string): number {
  const goesOn = /[\p{L}\p{N}]/u;
  for (let at = text.indexOf(words); at >= 0; at = text.indexOf(words, at + 1)) {
    if (!goesOn.test(text.charAt(at - 1)) && !goesOn.test(text.charAt(at + words.length))) return at;
  }
  return -1;
}

/** Text in pieces, those marked that begin with one of the words that were searched. */
export function found(text: string, search: string): { text: string; hit: boolean }[] {
  const wanted = search.toLowerCase().split(/\s+/).filter(Boolean);
  if (wanted.length === 0) return [{ text, hit: false }];
  return text.split(/([\p{L}\p{N}]+)/u).flatMap((piece) => {
    const hit = wanted.some((w) => piece.toLowerCase() === w);
    return piece === "" ? [] : [{ text: piece, hit }];
  });
}

/** How long ago something was, as a list shows it: "now", "5 min", "14:05", "yesterday", "Fri", "12 Nov". */
export function ago(instant: string, zone: string, now: Date): string {
  const then = new Date(instant);
  const minutes = Math.floor((now.getTime() - then.getTime()) / 60_000);
  if (minutes < 1) return "now";
  if (minutes < 60) return `${minutes} min`;
  const days = dayNumber(now, zone) - dayNumber(then, zone);
  const show = (options: Intl.DateTimeFormatOptions) =>
    new Intl.DateTimeFormat("en-GB", { timeZone: zone, ...options }).format(then);
  if (days <= 0) return show({ hour: "2-digit", minute: "2-digit" });
  if (days === 1) return "yesterday";
  if (days < 7) return show({ weekday: "short" });
  const sameYear = show({ year: "numeric" }) === yearOf(now, zone);
  return show({ day: "numeric", month: "short", ...(!sameYear && { year: "numeric" }) });
}

function yearOf(date: Date, zone: string): string {
  return new Intl.DateTimeFormat("en-GB", { timeZone: zone, year: "numeric" }).format(date);
}

function dayNumber(date: Date, zone: string): number {
  const day = new Intl.DateTimeFormat("en-CA", { timeZone: zone, dateStyle: "short" }).format(date);
  return Date.parse(`${day}T00:00:00Z`) / 86_400_000;
}
