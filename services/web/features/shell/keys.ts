// Which keys mean what. A shortcut is one key ("c", "?", "Escape"), one with the command key ("mod+k"), or two in a row
// ("g t").

export type Stroke = { key: string; ctrlKey: boolean; metaKey: boolean; altKey: boolean };

/** The name a stroke has in shortcuts; null for one that has none. Shift is in the character it makes. */
export function strokeName({ key, ctrlKey, metaKey, altKey }: Stroke): string | null {
  if (altKey || key === "Dead" || key === "Unidentified" || key === "Process") return null;
  const name = key === " " ? "Space" : key.length === 1 ? key.toLowerCase() : key;
  if (ctrlKey || metaKey) return `mod+${name}`;
  return name;
}

/**
 * Finds what a stroke completes among the known shortcuts, after the stroke before it if that began one. `pending` is what
 * to remember for the next.
 */
export function resolve(
  known: ReadonlySet<string>,
  before: string | null,
  stroke: string,
): { hit: string | null; pending: string | null } {
  const both = before === null ? null : `${before} ${stroke}`;
  if (both !== null && known.has(both)) return { hit: both, pending: null };
  if (known.has(stroke)) return { hit: stroke, pending: null };
  const begins = [...known].some((keys) => keys.startsWith(`${stroke} `));
  return { hit: null, pending: begins ? stroke : null };
}

/** Whether plain characters do it, which someone who dictates or touches keys by accident may want off (WCAG 2.1.4). */
export function isCharacter(keys: string): boolean {
  return keys === "Space" || keys.split(" ").every((key) => [...key].length === 1);
}

const caps: Record<string, string> = { Escape: "Esc", Delete: "Del", Enter: "Enter", Space: "Space" };

/** What is written on the keys, in order. */
export function keyCaps(keys: string, apple: boolean): string[] {
  return keys
    .split(" ")
    .flatMap((stroke) =>
      stroke.startsWith("mod+")
        ? [apple ? "⌘" : "Ctrl", stroke.slice(4).toUpperCase()]
        : [caps[stroke] ?? stroke],
    );
}
