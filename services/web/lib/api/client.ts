import createClient from "openapi-fetch";

import type { paths as ChatPaths } from "./chat-agent.gen";
import { ApiError, problemOf } from "./problem";
import { renewed } from "./renew";
import type { paths as TaskPaths } from "./task-api.gen";

// Longer than the services themselves wait: they answer 503 first, which says more than our giving up does.
const deadline = 30_000;
/** Reading a file of 5,000 tasks, and letting an agent think. */
const longDeadline = 120_000;

/** The REST door of tasks, as services/task-api/openapi.yaml describes it. */
export const tasksApi = createClient<TaskPaths>({
  credentials: "same-origin",
  fetch: (request) => ask(request, request.url.includes("/import") ? longDeadline : deadline),
});
/** The REST door of the chat, as services/chat-agent/openapi.yaml describes it. */
export const chatApi = createClient<ChatPaths>({
  credentials: "same-origin",
  fetch: (request) => ask(request, request.method === "GET" ? deadline : longDeadline),
});

// The session's token is in an httpOnly cookie, so requests carry it by themselves and no script can read it. When it
// has expired and the session has not, it is renewed and the request sent once more. A body can be read only once, so the
// second request is copied before the first is sent.
async function ask(request: Request, milliseconds: number): Promise<Response> {
  const again = request.clone();
  const response = await sent(request, milliseconds);
  if (response.status !== 401 || !(await renewed())) return response;
  return sent(again, milliseconds);
}

/** The deadline holds for the body too. */
function sent(request: Request, milliseconds: number): Promise<Response> {
  return fetch(request, { signal: AbortSignal.any([request.signal, AbortSignal.timeout(milliseconds)]) });
}

type Answer<T> = { data?: T; error?: unknown; response: Response };

/** The body of a good answer. Throws ApiError for any other, and where no answer came. */
export async function must<T>(asked: Promise<Answer<T>>): Promise<NonNullable<T>> {
  const { data, response } = await answered(asked);
  if (data === undefined || data === null)
    throw new ApiError({ status: response.status, detail: "The answer was empty." });
  return data;
}

/** As must, for an answer that may have no body, and with the response for its headers. */
export async function answered<T>(asked: Promise<Answer<T>>): Promise<Answer<T>> {
  let answer: Answer<T>;
  try {
    answer = await asked;
  } catch (cause) {
    if (cause instanceof DOMException && cause.name === "AbortError") throw cause;
    throw new ApiError({ status: 0, detail: unreached(cause), cause });
  }
  if (!answer.response.ok) throw problemOf(answer.response, answer.error);
  return answer;
}

function unreached(cause: unknown): string {
  if (cause instanceof DOMException && cause.name === "TimeoutError")
    return "The server did not answer in time.";
  // A proxy's page in place of the answer, or half an answer.
  if (cause instanceof SyntaxError) return "The server's answer could not be read.";
  return "The server cannot be reached.";
}
