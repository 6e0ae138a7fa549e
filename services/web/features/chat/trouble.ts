import { ApiError } from "@/lib/api/problem";

/** Why there is no answer, and what can be done about it. */
export type Trouble = {
  says: string;
  /** Whether the same message may be sent again. If not, it can be changed. */
  retry: boolean;
  /** When it may be sent again, in milliseconds since 1970; 0 for at once. */
  at: number;
};

/** The connection ended while an answer was told. The run goes on, and its answer will be in the conversation. */
export class ConnectionLost extends Error {
  constructor(cause: unknown) {
    super("The connection was lost while the answer was told.", { cause });
    this.name = "ConnectionLost";
  }
}

/** What to tell of an error of the chat. `now` in milliseconds since 1970. */
export function troubleOf(error: Error, now: number): Trouble {
  if (!(error instanceof ApiError)) return { says: error.message, retry: true, at: 0 };
  const fields = error.fields.map((f) => `${f.field} ${f.message}`).join(", ");
  return {
    says: fields && !error.message.includes(fields) ? `${error.message} (${fields})` : error.message,
    // 409: another message of this conversation is being answered. 401: the session was renewed elsewhere meanwhile.
    retry: error.passing || error.status === 409 || error.status === 401,
    at: error.retryAfter ? now + error.retryAfter * 1000 : 0,
  };
}

/** Whole seconds until the message may be sent again; 0 when it may. */
export function secondsLeft(trouble: Trouble, now: number): number {
  return Math.max(0, Math.ceil((trouble.at - now) / 1000));
}
