// The text as it is searched: what is quoted is hidden, and words are whole.

export type Span = { start: number; end: number };

// Two characters of the private use area stand for what is quoted, in the same places.
const opening = "\ue000";
const hidden = "\ue001";
const quoted = new RegExp(`${opening}${hidden}*`, "g");

// A quote opens before a word and closes after one: 5" and 7" are inches.
const quotes = /(?<![^\s(])(?:"([^"]*[^"\s][^"]*)"|“([^”]*[^”\s][^”]*)”)(?=[.,;:!?)]*(?:\s|$))/g;

export type Source = {
  /** As long as the text, with everything quoted hidden. */
  text: string;
  /** What was quoted, without its quotes, in order. */
  quotes: string[];
  /** The text has no lower case letter, so capitals mean nothing in it. */
  loud: boolean;
};

export function sourceOf(text: string): Source {
  const loud = !/\p{Ll}/u.test(text);
  if (text.includes(opening) || text.includes(hidden)) return { text, quotes: [], loud };
  const found: string[] = [];
  const masked = text.replace(quotes, (whole: string, straight?: string, curly?: string) => {
    found.push(straight ?? curly ?? "");
    return opening + hidden.repeat(whole.length - 1);
  });
  return { text: masked, quotes: found, loud };
}

/** Where words begin. */
export function wordStarts(text: string): number[] {
  const starts: number[] = [];
  for (const found of text.matchAll(/(?<![^\s(])[^\s(]/g)) starts.push(found.index);
  return starts;
}

/** A pattern of whole words, to be matched at the beginning of a word. */
export function words(pattern: string): RegExp {
  return new RegExp(`(?:${pattern})(?=[.,;:!?)]*(?:\\s|$))`, "iy");
}

/** The match of a pattern of whole words at a place. */
export function matchAt(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(text);
}

/** The word before a place, in lower case without the punctuation around it; nothing if there is punctuation between. */
export function wordBefore(text: string, at: number): string {
  const found = /(\S+)\s*$/.exec(text.slice(0, at));
  const word = found?.[1] ?? "";
  return /[,;:!?.)]$/.test(word) ? "" : word.replace(/^[("']+/, "").toLowerCase();
}

/** Whether a word is written as in the middle of a sentence: a capital makes it part of a name, but not as the first word. */
export function isPlain(word: string, at: number, source: Source): boolean {
  return source.loud || word === word.toLowerCase() || source.text.slice(0, at).trim() === "";
}

/** What is left of a text without some spans of it, with the quotes' insides in their places. */
export function without(source: Source, spans: readonly Span[]): string {
  const { text } = source;
  let kept = "";
  let from = 0;
  const sorted = [...spans].sort((a, b) => a.start - b.start);
  const end = { start: text.length, end: text.length };
  for (const [i, span] of [...sorted, end].entries()) {
    let piece = text.slice(from, span.start);
    if (i > 0) {
      if (kept.endsWith("(") && piece.startsWith(")")) {
        kept = kept.slice(0, -1).trimEnd();
        piece = piece.slice(1);
      }
      if (kept.trim() === "") piece = piece.replace(/^[\s,.;:!?–-]+/, "");
      const joins = /^[,.;:!?)]/.test(piece) || kept.trim() === "" || kept.endsWith("(");
      kept = joins ? kept.trimEnd() + piece.trimStart() : `${kept.trimEnd()} ${piece.trimStart()}`;
    } else {
      kept = piece;
    }
    from = span.end;
  }
  if (sorted.length > 0) kept = kept.replace(/[\s,;:–-]+$/, "").replace(/,([.!?])$/, "$1");
  let n = 0;
  return kept.replace(quoted, (mask) => source.quotes[n++] ?? mask).trim();
}
