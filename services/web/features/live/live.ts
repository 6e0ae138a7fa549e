import ReconnectingWebSocket from "partysocket/ws";

import type { Changes } from "@/features/tasks/data/door";

import { afterClose, backoff, mostFailures } from "./closing";
import { type Frame, frameOf, frameOfChange } from "./frames";

export type LiveState = "connecting" | "live" | "polling" | "offline";
export type LiveStatus = { state: LiveState; /** It was live before. */ reconnecting: boolean };

const connectDeadline = 10_000;
/** The hello waits for the database. */
const helloDeadline = 15_000;
/** A connection that stood this long was a good one. */
const steadyAfter = 5000;
// The server closes what says nothing for five minutes. Two small frames are cheaper than that: a new connection costs a
// handshake, a token and a look into the log, and a page in the background would miss its reminders until it is looked at.
// Browsers delay the timers of such pages by up to a minute.
const pingEvery = 210_000;
const pongDeadline = 8000;
const pollEvery = 30_000;
const pollPage = 500;
/** More changes than this are not worth asking one by one. */
const mostPolls = 10;
const fillPause = 1000;

export type LiveHost = {
  /** The address of the socket, with what was seen last. */
  url: (since: number) => string;
  changes: (since: number, limit: number) => Promise<Changes>;
  /** Everything that has a place in the log comes once and in its order. */
  frame: (frame: Frame) => void;
  /** The log does not reach back: everything must be loaded anew. */
  resync: () => void;
  status: (status: LiveStatus) => void;
  /** A new token in exchange for the session; false if there is none to be had now. */
  renewed: () => Promise<boolean>;
  /** This user's page has no business here any more. */
  leave: () => void;
  /** Whether the failure says that the network is away. */
  unreached: (error: unknown) => boolean;
  online: () => boolean;
  random?: () => number;
  /** The browser's, if none is given. */
  WebSocket?: unknown;
};

/**
 * Hears of the user's changes: from one socket, which is opened again whenever it closes and goes on from the last sequence
 * that was seen, and after five failed tries in a row from asking every 30 s, with another try each time. It keeps the place
 * in the log and nothing else.
 */
export class Live {
  readonly #host: LiveHost;
  readonly #random: () => number;
  readonly #socket: ReconnectingWebSocket;
  readonly #timers = new Map<string, ReturnType<typeof setTimeout>>();
  #seen: number;
  #stopped = true;
  /** A socket is open or being opened. */
  #trying = false;
  #hello = false;
  #wasLive = false;
  #failures = 0;
  #renewals = 0;
  #polling = false;
  #unreached = false;
  #filling: Promise<void> | undefined;
  /** There is known to be something up to here. */
  #upTo = 0;
  #told = "";

  /** since is the place in the log from which on frames are wanted. */
  constructor(host: LiveHost, since: number) {
    this.#host = host;
    this.#seen = since;
    this.#random = host.random ?? Math.random;
    this.#socket = new ReconnectingWebSocket(() => host.url(this.#seen), null, {
      startClosed: true,
      // When to come back depends on the close code, so that is decided here.
      shouldReconnectOnClose: () => false,
      connectionTimeout: connectDeadline,
      maxEnqueuedMessages: 0,
      WebSocket: host.WebSocket,
    });
    this.#socket.onmessage = (event: MessageEvent) => this.#message(event.data);
    this.#socket.onclose = (event: { code: number }) => this.#closed(event.code);
  }

  /** The last sequence that was seen. */
  get seen(): number {
    return this.#seen;
  }

  start(): void {
    if (!this.#stopped) return;
    this.#stopped = false;
    this.#connect();
  }

  stop(): void {
    this.#stopped = true;
    this.#trying = this.#hello = this.#polling = false;
    for (const name of [...this.#timers.keys()]) this.#clear(name);
    this.#socket.close();
  }

  /** The page is looked at again, or the network is back: finds out at once whether the socket is still good. */
  wake(): void {
    if (this.#stopped) return;
    this.#show();
    if (this.#hello) this.#ping();
    else if (this.#polling) this.#poll();
    else this.#connect();
  }

  /** The network went or came. */
  networkChanged(): void {
    if (this.#host.online()) this.wake();
    else this.#show();
  }

  #connect(): void {
    if (this.#stopped || this.#trying) return;
    this.#clear("retry");
    this.#trying = true;
    this.#hello = false;
    this.#show();
    this.#after("hello", connectDeadline + helloDeadline, () => this.#socket.close());
    this.#socket.reconnect();
  }

  #message(data: unknown): void {
    this.#clear("pong");
    const frame = frameOf(data);
    if (!frame || this.#stopped) return;
    switch (frame.type) {
      case "hello":
        return this.#opened();
      case "resync":
        return this.#restart(frame.current ?? this.#seen);
      case "pong":
      case "auth":
      case "error":
        return;
      default:
        this.#take(frame);
    }
  }

  #opened(): void {
    this.#hello = true;
    this.#wasLive = true;
    this.#polling = this.#unreached = false;
    this.#clear("hello");
    this.#clear("poll");
    this.#after("steady", steadyAfter, () => {
      this.#failures = this.#renewals = 0;
    });
    this.#after("ping", pingEvery, () => this.#ping());
    this.#show();
  }

  #closed(code: number): void {
    for (const name of ["hello", "steady", "ping", "pong"]) this.#clear(name);
    this.#trying = this.#hello = false;
    if (this.#stopped) return;
    const next = afterClose(code, this.#failures, this.#random);
    if (next.do === "leave") {
      this.stop();
      this.#host.leave();
    } else if (next.do === "renew") void this.#renew();
    else this.#again(next.after, next.failures);
    this.#show();
  }

  #again(after: number, failures: number): void {
    this.#failures = failures;
    if (this.#polling) return; // The next poll tries.
    if (failures >= mostFailures) {
      this.#polling = true;
      this.#poll();
    } else this.#after("retry", after, () => this.#connect());
  }

  // A new token that is refused as well is a failure like any other: else the page would ask without a pause.
  async #renew(): Promise<void> {
    const good = this.#renewals++ === 0 && (await this.#host.renewed());
    if (this.#stopped || this.#trying) return;
    if (good) this.#connect();
    else this.#again(backoff(this.#failures + 1, this.#random), this.#failures + 1);
    this.#show();
  }

  #ping(): void {
    if (this.#timers.has("pong")) return;
    this.#socket.send(JSON.stringify({ type: "ping" }));
    this.#after("pong", pongDeadline, () => this.#socket.close());
    this.#after("ping", pingEvery, () => this.#ping());
  }

  #poll(): void {
    this.#clear("retry");
    this.#fill();
    this.#connect();
    this.#after("poll", pollEvery, () => this.#poll());
    this.#show();
  }

  #take(frame: Frame): void {
    const { sequence } = frame;
    if (sequence === undefined) return this.#host.frame(frame);
    if (sequence <= this.#seen) return;
    // The server leaves no hole. Should there be one, the log has what is missing, and this one too.
    if (sequence > this.#seen + 1) return this.#fill(sequence);
    this.#seen = sequence;
    this.#host.frame(frame);
  }

  /** Asks for what comes after what was seen; again, after a moment, until it has what is known to be there. */
  #fill(upTo = 0): void {
    this.#upTo = Math.max(this.#upTo, upTo);
    this.#filling ??= this.#asked().finally(() => {
      this.#filling = undefined;
      if (this.#upTo > this.#seen && !this.#stopped) this.#after("fill", fillPause, () => this.#fill());
    });
  }

  async #asked(): Promise<void> {
    try {
      for (let page = 0; ; page++) {
        const answer = await this.#host.changes(this.#seen, pollPage);
        if (this.#stopped) return;
        this.#reached(true);
        if (answer.reset || page >= mostPolls) return this.#restart(answer.current_sequence);
        for (const change of answer.changes) {
          if (change.sequence <= this.#seen) continue;
          this.#seen = change.sequence;
          this.#host.frame(frameOfChange(change));
        }
        if (!answer.has_more) return;
      }
    } catch (error) {
      this.#reached(!this.#host.unreached(error));
    }
  }

  #restart(sequence: number): void {
    this.#seen = this.#upTo = sequence;
    this.#host.resync();
  }

  #reached(reached: boolean): void {
    this.#unreached = !reached;
    this.#show();
  }

  #show(): void {
    if (this.#stopped) return;
    const status = { state: this.#state(), reconnecting: this.#wasLive };
    const told = `${status.state} ${status.reconnecting}`;
    if (told === this.#told) return;
    this.#told = told;
    this.#host.status(status);
  }

  #state(): LiveState {
    if (!this.#host.online()) return "offline";
    if (this.#hello) return "live";
    if (this.#polling) return this.#unreached ? "offline" : "polling";
    return "connecting";
  }

  #after(name: string, milliseconds: number, then: () => void): void {
    this.#clear(name);
    this.#timers.set(
      name,
      setTimeout(() => {
        this.#timers.delete(name);
        then();
      }, milliseconds),
    );
  }

  #clear(name: string): void {
    clearTimeout(this.#timers.get(name));
    this.#timers.delete(name);
  }
}
