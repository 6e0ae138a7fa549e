/**
 * Does jobs that concern the same keys one behind the other, in the order they were given, and all others at once. A job of
 * several keys waits for all of them; since each waits for earlier ones only, nobody waits in a circle.
 */
export class Queue {
  readonly #tails = new Map<string, Promise<void>>();

  /** The job's result, once all earlier jobs of its keys have ended, well or not. */
  run<T>(keys: readonly string[], job: () => Promise<T>): Promise<T> {
    const before = keys.map((key) => this.#tails.get(key));
    const result = Promise.all(before).then(job);
    const tail: Promise<void> = result.then(
      () => this.#ended(keys, tail),
      () => this.#ended(keys, tail),
    );
    for (const key of keys) this.#tails.set(key, tail);
    return result;
  }

  busy(key: string): boolean {
    return this.#tails.has(key);
  }

  #ended(keys: readonly string[], tail: Promise<void>): void {
    for (const key of keys) if (this.#tails.get(key) === tail) this.#tails.delete(key);
  }
}
