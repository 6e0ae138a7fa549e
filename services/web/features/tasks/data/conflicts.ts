import type { Task, TaskPatch } from "../model";

/** A change that met a newer version of its task. */
export type Conflict = { base: Task; mine: TaskPatch; current: Task };
export type Decision = "mine" | "theirs";

/** The conflicts that wait for the user to decide, the oldest first. */
export class Conflicts {
  #waiting: { conflict: Conflict; decide: (decision: Decision) => void }[] = [];
  readonly #watchers = new Set<() => void>();

  readonly watch = (watcher: () => void): (() => void) => {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  };

  readonly first = (): Conflict | null => this.#waiting[0]?.conflict ?? null;

  raise(conflict: Conflict): Promise<Decision> {
    return new Promise((decide) => {
      this.#waiting.push({ conflict, decide });
      this.#tell();
    });
  }

  readonly decide = (decision: Decision): void => {
    this.#waiting.shift()?.decide(decision);
    this.#tell();
  };

  #tell(): void {
    for (const watcher of this.#watchers) watcher();
  }
}
