import { type Server, createServer } from "node:http";
import type { AddressInfo } from "node:net";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { ApiError } from "@/lib/api/problem";

import { fromHistory, userMessage } from "./message";
import { recording } from "./recorded.testing";
import { asked, newId, requestOf } from "./transport";
import { ConnectionLost } from "./trouble";

describe("what is sent", () => {
  const first = userMessage("m1", "add milk", null);
  const answer = fromHistory({ id: "a1", role: "assistant", text: "Done.", created_at: "" }, "c1");

  it("is the first message alone, which begins a conversation", () => {
    expect(requestOf([first])).toEqual({ message: "add milk", message_id: "m1" });
  });

  it("is the last message alone, in its conversation", () => {
    expect(requestOf([first, answer, userMessage("m2", "and eggs", null)])).toEqual({
      message: "and eggs",
      message_id: "m2",
      conversation_id: "c1",
    });
  });

  it("is the same again when an answer broke off", () => {
    expect(requestOf([first, { ...answer, metadata: { conversation_id: "c1" } }]).message_id).toBe("m1");
  });
});

it("names messages with UUIDs, also where the browser makes none", () => {
  const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
  expect(newId()).toMatch(uuid);
  Object.defineProperty(crypto, "randomUUID", { value: undefined, configurable: true });
  expect(newId()).toMatch(uuid);
  expect(newId()).not.toBe(newId());
  Reflect.deleteProperty(crypto, "randomUUID");
});

describe("an answer over HTTP", () => {
  let server: Server;
  let address: string;
  let behave: Parameters<typeof createServer>[1];

  beforeEach(async () => {
    server = createServer((req, res) => behave?.(req, res));
    await new Promise<void>((up) => server.listen(0, "127.0.0.1", up));
    address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  });
  afterEach(async () => {
    server.closeAllConnections();
    await new Promise((down) => server.close(down));
  });

  const stream = { "Content-Type": "text/event-stream; charset=utf-8" };

  it("is read whole", async () => {
    behave = (_, res) => res.writeHead(200, stream).end(recording("tools"));
    expect(await (await asked(address)).text()).toBe(recording("tools"));
  });

  it("that ends before its end was told is a lost connection", async () => {
    const half = recording("tools").slice(0, 900);
    behave = (_, res) => res.writeHead(200, stream).end(half);
    await expect((await asked(address)).text()).rejects.toThrow(ConnectionLost);
  });

  it("whose connection breaks is a lost connection", async () => {
    behave = (_, res) => {
      res.writeHead(200, stream);
      res.write(recording("words").slice(0, 400), () => res.destroy());
    };
    await expect((await asked(address)).text()).rejects.toThrow(ConnectionLost);
  });

  it("that is a problem is told with its sentence and its time", async () => {
    behave = (_, res) =>
      res
        .writeHead(503, { "Content-Type": "application/problem+json", "Retry-After": "7" })
        .end(
          JSON.stringify({ title: "Service Unavailable", status: 503, detail: "The model does not answer." }),
        );
    const error = await asked(address).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(ApiError);
    expect(error).toMatchObject({ status: 503, message: "The model does not answer.", retryAfter: 7 });
  });

  it("of something that is no chat is no answer", async () => {
    behave = (_, res) => res.writeHead(200, { "Content-Type": "text/html" }).end("<p>Welcome to the hotel");
    await expect(asked(address)).rejects.toThrow("not from the chat");
  });

  it("of a server that is not there says so", async () => {
    await expect(asked("http://127.0.0.1:1/")).rejects.toMatchObject({ status: 0 });
  });

  it("that is not wanted any more is an abort, not an error of ours", async () => {
    const wanted = new AbortController();
    behave = () => wanted.abort();
    await expect(asked(address, { signal: wanted.signal })).rejects.toMatchObject({ name: "AbortError" });
  });
});
