const moment = 1600;

/** The tasks that changed elsewhere a moment ago. */
export class Arrivals {
  readonly #until = new Map<string, ReturnType<typeof setTimeout>>();
  readonly #watchers = new Set<() => void>();

  readonly watch = (watcher: () => void): (() => void) => {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  };

  has(id: string): boolean {
    return this.#until.has(id);
  }

  add(ids: readonly string[]): void {
    for (const id of ids) {
      clearTimeout(this.#until.get(id));
      this.#until.set(
        id,
        setTimeout(() => {
          this.#until.delete(id);
          this.#tell();
        }, moment),
      );
    }
    this.#tell();
  }

  #tell(): void {
    for (const watcher of this.#watchers) watcher();
  }
}
