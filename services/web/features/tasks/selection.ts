/** Tasks picked out by hand, and the one from which Shift picks a range. */
export type Selection = { ids: ReadonlySet<string>; anchor: string | null };

export const nothing: Selection = { ids: new Set(), anchor: null };

/** Picks a task, or lets it go. */
export function toggled(selection: Selection, id: string): Selection {
  const ids = new Set(selection.ids);
  if (!ids.delete(id)) ids.add(id);
  return { ids, anchor: id };
}

/** Picks all from the anchor to a task as they are listed; the task alone if the anchor is not listed. */
export function extended(selection: Selection, id: string, listed: readonly string[]): Selection {
  const to = listed.indexOf(id);
  const from = selection.anchor === null ? -1 : listed.indexOf(selection.anchor);
  if (to < 0) return selection;
  if (from < 0) return { ids: new Set([...selection.ids, id]), anchor: id };
  const range = listed.slice(Math.min(from, to), Math.max(from, to) + 1);
  return { ids: new Set([...selection.ids, ...range]), anchor: selection.anchor };
}

/** Picks every listed task, or, if all are, none. */
export function all(selection: Selection, listed: readonly string[]): Selection {
  if (listed.every((id) => selection.ids.has(id))) return nothing;
  return { ids: new Set(listed), anchor: selection.anchor };
}
