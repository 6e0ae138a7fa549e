import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";

import type { Changes } from "@/features/tasks/data/door";

import { FakeSocket } from "./fake-socket";
import type { Frame } from "./frames";
import { Live, type LiveStatus } from "./live";

type Log = { frames: Frame[]; states: string[]; resyncs: number; left: number; asked: number[] };

let live: Live;
let log: Log;
let online: boolean;
let renewals: boolean[];
let answers: (Partial<Changes> | Error)[];

function begin(since = 10): void {
  live = new Live(
    {
      url: (seen) => `ws://x/?since=${seen}`,
      changes: (asked) => {
        log.asked.push(asked);
        const answer = answers.shift() ?? {};
        if (answer instanceof Error) return Promise.reject(answer);
        return Promise.resolve({
          changes: [],
          current_sequence: asked,
          has_more: false,
          reset: false,
          ...answer,
        });
      },
      frame: (frame) => log.frames.push(frame),
      resync: () => log.resyncs++,
      status: ({ state, reconnecting }: LiveStatus) =>
        log.states.push(reconnecting ? `${state} again` : state),
      renewed: () => Promise.resolve(renewals.shift() ?? false),
      leave: () => log.left++,
      unreached: (error) => (error as Error).message === "unreached",
      online: () => online,
      random: () => 1,
      WebSocket: FakeSocket,
    },
    since,
  );
  live.start();
}

// partysocket lets a turn pass before it opens a socket.
const passes = (milliseconds: number) => vi.advanceTimersByTimeAsync(milliseconds + 5);
const opened = () => FakeSocket.made.length;
const sequences = () => log.frames.map((f) => f.sequence);
const task = (sequence: number) => ({
  type: "task.updated",
  sequence,
  data: { task_id: "t1", version: sequence },
});
const change = (sequence: number): Changes["changes"][number] => ({
  sequence,
  event_id: `e${sequence}`,
  event_type: "task.updated",
  task_id: "t1",
  version: sequence,
  timestamp: "2026-11-22T09:00:00Z",
});

async function connected(): Promise<void> {
  await passes(0);
  FakeSocket.last.opens();
  FakeSocket.last.says({ type: "hello", data: { sequence: live.seen } });
}

/** Lets the page fail to connect until it gives up for now. */
async function unconnectable(): Promise<void> {
  for (let i = 0; i < 5; i++) {
    await passes(0);
    FakeSocket.last.breaks();
    if (i < 4) await passes(1000 * 2 ** i);
  }
}

beforeEach(() => {
  vi.useFakeTimers();
  FakeSocket.made.length = 0;
  log = { frames: [], states: [], resyncs: 0, left: 0, asked: [] };
  online = true;
  renewals = [];
  answers = [];
});

afterEach(() => {
  live.stop();
  vi.useRealTimers();
});

describe("the socket", () => {
  test("begins from the place in the log at which loading began", async () => {
    begin(41);
    await passes(0);
    expect(FakeSocket.last.url).toBe("ws://x/?since=41");
    expect(log.states).toEqual(["connecting"]);
  });

  test("is live with the hello and not before", async () => {
    begin();
    await passes(0);
    FakeSocket.last.opens();
    expect(log.states).toEqual(["connecting"]);
    FakeSocket.last.says({ type: "hello", data: { sequence: 10 } });
    expect(log.states).toEqual(["connecting", "live again"]);
  });

  test("gives every frame once and in order, also what comes twice", async () => {
    begin();
    await connected();
    for (const n of [11, 11, 9, 12, 13, 12]) FakeSocket.last.says(task(n));
    expect(sequences()).toEqual([11, 12, 13]);
  });

  test("goes on from the last frame when it comes back", async () => {
    begin();
    await connected();
    FakeSocket.last.says(task(11));
    FakeSocket.last.closes(1006);
    await passes(1000);
    expect(FakeSocket.last.url).toBe("ws://x/?since=11");
    expect(opened()).toBe(2);
  });

  test("gives a frame without a place in the log as it is", async () => {
    begin();
    await connected();
    FakeSocket.last.says({ type: "user.updated", data: { version: 2 } });
    expect(log.frames.map((f) => f.type)).toEqual(["user.updated"]);
  });

  test("fills a hole from the log", async () => {
    begin();
    await connected();
    answers.push({ changes: [change(11), change(12), change(13)] });
    FakeSocket.last.says(task(13));
    await passes(0);
    expect(log.asked).toEqual([10]);
    expect(sequences()).toEqual([11, 12, 13]);
    FakeSocket.last.says(task(14));
    expect(sequences()).toEqual([11, 12, 13, 14]);
  });

  test("asks again for a hole that could not be filled", async () => {
    begin();
    await connected();
    answers.push(new Error("refused"), { changes: [change(11), change(12)] });
    FakeSocket.last.says(task(12));
    await passes(1000);
    expect(sequences()).toEqual([11, 12]);
  });

  test("asks again for what came while a hole was being filled", async () => {
    begin();
    await connected();
    answers.push({ changes: [change(11), change(12)] }, { changes: [change(13), change(14)] });
    FakeSocket.last.says(task(12));
    FakeSocket.last.says(task(14));
    await passes(1000);
    expect(sequences()).toEqual([11, 12, 13, 14]);
  });

  test("has everything loaded anew when the log does not reach back, and goes on behind it", async () => {
    begin();
    await connected();
    FakeSocket.last.says({ type: "resync", data: { sequence: 500 } });
    FakeSocket.last.says(task(501));
    expect(log.resyncs).toBe(1);
    expect(sequences()).toEqual([501]);
  });

  test("passes over what is no frame", async () => {
    begin();
    await connected();
    FakeSocket.last.dispatchEvent(new MessageEvent("message", { data: "<html>" }));
    FakeSocket.last.says(task(11));
    expect(sequences()).toEqual([11]);
  });

  test("is given up when it does not say hello", async () => {
    begin();
    await passes(0);
    FakeSocket.last.opens();
    await passes(25_000);
    await passes(1000);
    expect(opened()).toBe(2);
  });

  test("is given up when it does not open", async () => {
    begin();
    await passes(10_000);
    await passes(1000);
    expect(opened()).toBe(2);
  });

  test("says something before the server takes it for dead", async () => {
    begin();
    await connected();
    await passes(210_000);
    expect(FakeSocket.last.sent).toEqual(['{"type":"ping"}']);
    FakeSocket.last.says({ type: "pong" });
    await passes(210_000);
    expect(FakeSocket.last.sent).toHaveLength(2);
    expect(opened()).toBe(1);
  });

  test("is made anew when a ping stays without an answer", async () => {
    begin();
    await connected();
    live.wake();
    await passes(8000);
    await passes(1000);
    expect(opened()).toBe(2);
  });

  test("stays when the page is looked at and it answers", async () => {
    begin();
    await connected();
    live.wake();
    FakeSocket.last.says({ type: "pong" });
    await passes(20_000);
    expect(opened()).toBe(1);
  });
});

describe("a close", () => {
  test("for silence is followed by a new socket at once", async () => {
    begin();
    await connected();
    FakeSocket.last.closes(4000);
    await passes(0);
    expect(opened()).toBe(2);
  });

  test("for a token that expired is followed by a new one and a new socket", async () => {
    begin();
    await connected();
    renewals.push(true);
    FakeSocket.last.closes(4401);
    await passes(0);
    expect(opened()).toBe(2);
  });

  test("for a new token that is refused as well is followed by a pause", async () => {
    begin();
    await passes(0);
    renewals.push(true, true);
    FakeSocket.last.closes(4001);
    await passes(0);
    FakeSocket.last.closes(4001);
    await passes(990);
    expect(opened()).toBe(2);
    await passes(10);
    expect(opened()).toBe(3);
  });

  test.each([4003, 4403])("with %i ends it, and the page leaves", async (code) => {
    begin();
    await connected();
    FakeSocket.last.closes(code);
    await passes(120_000);
    expect(log.left).toBe(1);
    expect(opened()).toBe(1);
  });

  test("of a connection that stood for a while begins with short pauses again", async () => {
    begin();
    await passes(0);
    for (const pause of [1000, 2000, 4000]) {
      FakeSocket.last.breaks();
      await passes(pause);
    }
    await connected();
    await passes(5000);
    FakeSocket.last.closes(1006);
    await passes(1000);
    expect(opened()).toBe(5);
  });

  test("right after the hello, again and again, has longer and longer pauses", async () => {
    begin();
    await connected();
    FakeSocket.last.closes(1006);
    await passes(1000);
    await connected();
    FakeSocket.last.closes(1006);
    await passes(1990);
    expect(opened()).toBe(2);
    await passes(10);
    expect(opened()).toBe(3);
  });
});

describe("after five failed tries", () => {
  test("changes are asked for every 30 s, with another try each time", async () => {
    begin();
    answers.push({ changes: [change(11)] });
    await unconnectable();
    await passes(0);
    expect(log.states).toEqual(["connecting", "polling"]);
    expect(sequences()).toEqual([11]);
    const before = opened();
    FakeSocket.last.breaks();
    await passes(29_900);
    expect(log.asked).toEqual([10]);
    await passes(100);
    expect(log.asked).toEqual([10, 11]);
    expect(opened()).toBe(before + 1);
  });

  test("the first socket that opens ends the asking, and nothing is missed or told twice", async () => {
    begin();
    answers.push({ changes: [change(11), change(12)] });
    await unconnectable();
    await connected();
    for (const n of [11, 12, 13]) FakeSocket.last.says(task(n));
    expect(sequences()).toEqual([11, 12, 13]);
    await passes(60_000);
    expect(log.asked).toEqual([10]);
    expect(log.states.at(-1)).toBe("live again");
  });

  test("all pages of what was missed are asked for", async () => {
    begin();
    answers.push({ changes: [change(11)], has_more: true }, { changes: [change(12)] });
    await unconnectable();
    await passes(0);
    expect(sequences()).toEqual([11, 12]);
  });

  test("a log that does not reach back has everything loaded anew", async () => {
    begin();
    answers.push({ reset: true, current_sequence: 900 });
    await unconnectable();
    await passes(0);
    expect(log.resyncs).toBe(1);
    expect(live.seen).toBe(900);
  });

  test("the page is offline while nothing answers, and no more when something does", async () => {
    begin();
    answers.push(new Error("unreached"), new Error("refused"));
    await unconnectable();
    await passes(0);
    expect(log.states.at(-1)).toBe("offline");
    FakeSocket.last.breaks();
    await passes(30_000);
    expect(log.states.at(-1)).toBe("polling");
  });
});

describe("the network", () => {
  test("that goes away shows as offline, and as live when it is back and the socket answers", async () => {
    begin();
    await connected();
    online = false;
    live.networkChanged();
    expect(log.states.at(-1)).toBe("offline again");
    online = true;
    live.networkChanged();
    expect(log.states.at(-1)).toBe("live again");
    expect(FakeSocket.last.sent).toEqual(['{"type":"ping"}']);
  });

  test("that comes back ends the pause before the next try", async () => {
    begin();
    await passes(0);
    for (const pause of [1000, 2000, 4000]) {
      FakeSocket.last.breaks();
      await passes(pause);
    }
    FakeSocket.last.breaks();
    const before = opened();
    live.networkChanged();
    await passes(0);
    expect(opened()).toBe(before + 1);
  });
});

test("a page that is put aside closes its socket, and opens it again when it is back", async () => {
  begin();
  await connected();
  live.stop();
  await passes(600_000);
  expect(opened()).toBe(1);
  live.start();
  await connected();
  expect(opened()).toBe(2);
  expect(log.states.at(-1)).toBe("live again");
});
