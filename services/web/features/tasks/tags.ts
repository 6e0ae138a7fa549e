// A task's tags. None is added that differs from another only in case.

/** The most a task can have, and the most characters in one. */
export const mostTags = 20;
export const longestTag = 50;

export function hasTag(tags: readonly string[], tag: string): boolean {
  return tags.some((t) => t.toLowerCase() === tag.toLowerCase());
}

export function withTag(tags: readonly string[], tag: string): string[] {
  return hasTag(tags, tag) ? [...tags] : [...tags, tag];
}

export function withoutTag(tags: readonly string[], tag: string): string[] {
  return tags.filter((t) => t !== tag);
}

/** Why a tag cannot be added; undefined if it can. */
export function tagError(tags: readonly string[], tag: string): string | undefined {
  if (tag === "") return "A tag needs a name.";
  if (tag.length > longestTag) return `A tag has at most ${longestTag} characters.`;
  if (tags.length >= mostTags && !hasTag(tags, tag)) return `A task has at most ${mostTags} tags.`;
  return undefined;
}
