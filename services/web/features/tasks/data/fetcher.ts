import { type Known, rank } from "./merge";

const gather = 30;
const mostSingly = 20;
const atOnce = 4;
/** How long news of a task waits for our own change of it to end. */
const mostPatience = 2000;
const longestPause = 30_000;
/** A storm of changes reloads the list no more often than this. */
const reloadPause = 3000;

/** What the fetcher needs of the page. */
export type FetcherHost = {
  known: (id: string) => Known | undefined;
  /** Whether a change of ours may be what the news of this task tells. */
  ours: (id: string) => boolean;
  get: (id: string) => Promise<Known>;
  /** Takes in what was fetched. */
  heard: (news: Known[]) => void;
  /** Loads everything open anew. */
  reload: () => Promise<void>;
  /** Called with the tasks that turned out to have changed elsewhere. */
  arrived: (ids: string[]) => void;
};

type Wish = { version: number; since: number };

/**
 * Fetches tasks that were heard to have changed. What comes within a moment is fetched together; a task that is known in that
 * version is not fetched, which is how the echo of our own changes ends; and of many, the whole list is loaded instead.
 */
export class Fetcher {
  readonly #host: FetcherHost;
  #wishes = new Map<string, Wish>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #running = false;
  #failures = 0;
  #reloaded = -Infinity;
  #stopped = false;

  constructor(host: FetcherHost) {
    this.#host = host;
  }

  /** The task has this version, or a higher one; Infinity asks in any case. */
  want(id: string, version: number): void {
    const before = this.#wishes.get(id);
    if (!before && rank(this.#host.known(id)) >= version) return;
    this.#wishes.set(id, {
      version: Math.max(version, before?.version ?? 0),
      since: before?.since ?? Date.now(),
    });
    this.#soon(gather);
  }

  /** A change of ours has ended: what waited for it can be judged. */
  settled(): void {
    if (this.#wishes.size > 0) this.#soon(0);
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  resume(): void {
    this.#stopped = false;
    if (this.#wishes.size > 0) this.#soon(gather);
  }

  #soon(milliseconds: number): void {
    if (this.#running || this.#stopped) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#run(), milliseconds);
  }

  async #run(): Promise<void> {
    this.#running = true;
    let pause = mostPatience;
    try {
      pause = await this.#round();
      this.#failures = 0;
    } catch {
      // The wishes are still there. Whether the server is away is for others to say.
      pause = Math.min(1000 * 2 ** this.#failures++, longestPause);
    } finally {
      this.#running = false;
    }
    if (this.#wishes.size > 0) this.#soon(pause);
  }

  /** Fetches what can be, and tells in how many milliseconds to look at the rest. */
  async #round(): Promise<number> {
    const now = Date.now();
    const ready: [string, Wish][] = [];
    let pause = mostPatience;
    for (const [id, wish] of this.#wishes) {
      if (wish.version !== Infinity && rank(this.#host.known(id)) >= wish.version) this.#wishes.delete(id);
      else if (this.#host.ours(id) && now - wish.since < mostPatience)
        pause = Math.min(pause, wish.since + mostPatience - now);
      else ready.push([id, wish]);
    }
    if (ready.length > mostSingly) return this.#reload(now);
    while (ready.length > 0) await this.#fetch(ready.splice(0, atOnce));
    return this.#wishes.size > 0 ? Math.max(pause, gather) : 0;
  }

  async #fetch(some: readonly [string, Wish][]): Promise<void> {
    const answers = await Promise.allSettled(some.map(([id]) => this.#host.get(id)));
    const news: Known[] = [];
    const arrived: string[] = [];
    let failed: unknown;
    answers.forEach((answer, i) => {
      const [id, wish] = some[i] as [string, Wish];
      if (answer.status === "rejected") failed = answer.reason;
      else {
        if (this.#wishes.get(id) === wish) this.#wishes.delete(id);
        if (rank(answer.value) > rank(this.#host.known(id))) arrived.push(id);
        news.push(answer.value);
      }
    });
    if (news.length > 0) this.#host.heard(news);
    if (arrived.length > 0) this.#host.arrived(arrived);
    if (failed !== undefined) throw failed;
  }

  async #reload(now: number): Promise<number> {
    const early = this.#reloaded + reloadPause - now;
    if (early > 0) return early;
    this.#reloaded = now;
    const covered = [...this.#wishes];
    await this.#host.reload();
    for (const [id, wish] of covered) if (this.#wishes.get(id) === wish) this.#wishes.delete(id);
    return gather;
  }
}
