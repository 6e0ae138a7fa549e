// @vitest-environment node
import { type IncomingMessage, type Server, createServer } from "node:http";
import type { AddressInfo } from "node:net";

import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { answered, must, tasksApi } from "./client";
import { ApiError } from "./problem";
import { renewed } from "./renew";

vi.mock("./renew", () => ({ renewed: vi.fn(() => Promise.resolve(true)) }));

type Asked = { method: string; path: string; body: string };

let server: Server;
let baseUrl: string;
let asked: Asked[];
let answers: { status: number; headers?: Record<string, string>; body?: string }[];

beforeEach(async () => {
  asked = [];
  answers = [];
  server = createServer((request, response) => {
    void read(request).then((body) => {
      asked.push({ method: request.method ?? "", path: request.url ?? "", body });
      const answer = answers.shift() ?? { status: 500 };
      response.writeHead(answer.status, answer.headers).end(answer.body);
    });
  });
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterEach(() => new Promise<void>((closed) => void server.close(() => closed())));

async function read(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts).toString();
}

const create = () =>
  tasksApi.POST("/api/{user_id}/tasks", {
    baseUrl,
    params: { path: { user_id: "u1" }, header: { "Idempotency-Key": "k" } },
    body: { title: "Buy milk" },
  });

const json = { "Content-Type": "application/json" };

test("a request whose token has expired is sent once more with the whole body", async () => {
  answers.push({ status: 401 }, { status: 201, headers: json, body: '{"id":"t1"}' });
  await expect(must(create())).resolves.toEqual({ id: "t1" });
  const one = { method: "POST", path: "/api/u1/tasks", body: '{"title":"Buy milk"}' };
  expect(asked).toEqual([one, one]);
});

test("a session that is over is the answer, without another request", async () => {
  vi.mocked(renewed).mockResolvedValueOnce(false);
  answers.push({ status: 401, headers: json, body: '{"detail":"No valid token."}' });
  await expect(must(create())).rejects.toMatchObject({ status: 401, message: "No valid token." });
  expect(asked).toHaveLength(1);
});

test("a problem comes with its fields, its pause and its detail", async () => {
  answers.push({
    status: 422,
    headers: { "Content-Type": "application/problem+json", "Retry-After": "3", "X-Correlation-ID": "c" },
    body: '{"detail":"It is wrong.","errors":[{"field":"title","message":"must not be empty"}]}',
  });
  await expect(answered(create())).rejects.toMatchObject({
    status: 422,
    message: "It is wrong.",
    fields: [{ field: "title", message: "must not be empty" }],
    retryAfter: 3,
    correlationId: "c",
  });
});

test("a proxy's page in place of a problem says that the service is away", async () => {
  answers.push({ status: 502, headers: { "Content-Type": "text/html" }, body: "<html>Bad Gateway" });
  const error = await answered(create()).catch((e: unknown) => e);
  expect(error).toBeInstanceOf(ApiError);
  expect(error).toMatchObject({ status: 502, message: "The service is away for a moment.", passing: true });
});

test("a good answer that is no JSON is one that could not be read", async () => {
  answers.push({ status: 201, headers: { "Content-Type": "text/html" }, body: "<html>Hello" });
  await expect(must(create())).rejects.toMatchObject({
    status: 0,
    message: "The server's answer could not be read.",
  });
});

test("a server that is not there is status 0", async () => {
  await new Promise<void>((closed) => void server.close(() => closed()));
  await expect(must(create())).rejects.toMatchObject({ status: 0, passing: true });
});

test("a request that was given up by its asker is no failure of the server", async () => {
  const asking = new AbortController();
  asking.abort();
  const listed = tasksApi.GET("/api/{user_id}/tasks", {
    baseUrl,
    params: { path: { user_id: "u1" } },
    signal: asking.signal,
  });
  await expect(must(listed)).rejects.toMatchObject({ name: "AbortError" });
});
