import { expect, test } from "vitest";

import { ApiError } from "@/lib/api/problem";

import { persist } from "./persist";

async function tried(
  errors: (ApiError | undefined)[],
  online = true,
): Promise<{ outcome: unknown; waits: number[]; sends: number }> {
  const waits: number[] = [];
  let sends = 0;
  const send = async () => {
    const error = errors[sends++];
    if (error) throw error;
    return "done";
  };
  const wait = async (milliseconds: number) => void waits.push(milliseconds);
  const outcome = await persist(send, wait, () => online).catch((e: ApiError) => e.status);
  return { outcome, waits, sends };
}

const failure = (status: number, retryAfter?: number) => new ApiError({ status, detail: "no", retryAfter });

test("what fails in passing is sent again, after a moment and then a longer one", async () => {
  const { outcome, waits } = await tried([failure(503), failure(0), undefined]);
  expect(outcome).toBe("done");
  expect(waits).toEqual([400, 1500]);
});

test("after two more tries it is given up", async () => {
  const { outcome, sends } = await tried([failure(503), failure(503), failure(503), undefined]);
  expect([outcome, sends]).toEqual([503, 3]);
});

test.each([400, 403, 404, 409, 412, 422])("a refusal with %i is final", async (status) => {
  const { outcome, sends } = await tried([failure(status), undefined]);
  expect([outcome, sends]).toEqual([status, 1]);
});

test("the server's own pause is kept, unless the user would wait too long", async () => {
  expect((await tried([failure(429, 2), undefined])).waits).toEqual([2000]);
  expect((await tried([failure(429, 60), undefined])).sends).toBe(1);
});

test("offline nothing is tried again, so that the user hears of it at once", async () => {
  const { outcome, sends } = await tried([failure(0), undefined], false);
  expect([outcome, sends]).toEqual([0, 1]);
});
