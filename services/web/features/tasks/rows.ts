// The lines of a list: headings and tasks, and for a moment the tasks that have just left it.

import type { Task } from "./model";
import type { Section } from "./select";

export type Row =
  | { kind: "heading"; key: string; section: Section }
  | { kind: "task"; key: string; task: Task; section: Section; place: number; leaving: boolean };

/**
 * The lines of the sections, in order. `place` counts the tasks from 1, whatever the headings; `keyOf` names a task by what
 * stays the same as long as its row does.
 */
export function rowsOf(sections: readonly Section[], keyOf: (task: Task) => string): Row[] {
  const rows: Row[] = [];
  let place = 0;
  for (const section of sections) {
    if (section.title !== null) rows.push({ kind: "heading", key: `heading ${section.key}`, section });
    for (const task of section.tasks) {
      place++;
      rows.push({ kind: "task", key: keyOf(task), task, section, place, leaving: false });
    }
  }
  return rows;
}

/** More than these leave without being seen off: then it is another list and not the same with some done. */
const most = 20;

/** The new lines with those of the old ones that are gone from them, each where it stood. */
export function withLeaving(old: readonly Row[], rows: readonly Row[]): readonly Row[] {
  const stays = new Set(rows.map((r) => r.key));
  const leaves = (r: Row) => r.kind === "task" && !r.leaving && !stays.has(r.key);
  const gone = old.filter(leaves).length;
  if (gone === 0 || gone > most) return rows;
  // Each that is gone follows what stood before it, if that is still there.
  const after = new Map<string | null, Row[]>();
  let before: string | null = null;
  for (const row of old) {
    if (stays.has(row.key)) before = row.key;
    else if (row.kind === "task" && leaves(row)) {
      const group = after.get(before) ?? [];
      group.push({ ...row, leaving: true });
      after.set(before, group);
    }
  }
  const shown: Row[] = [...(after.get(null) ?? [])];
  for (const row of rows) shown.push(row, ...(after.get(row.key) ?? []));
  return shown;
}
