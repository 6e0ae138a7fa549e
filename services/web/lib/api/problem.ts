import type { components } from "./task-api.gen";

export type FieldError = components["schemas"]["FieldError"];

type Init = {
  status: number;
  detail: string;
  fields?: FieldError[];
  current?: unknown;
  retryAfter?: number;
  correlationId?: string;
  cause?: unknown;
};

/** An answer that is not what was asked for: problem details (RFC 9457), or status 0 where none came. */
export class ApiError extends Error {
  /** The HTTP status; 0 if the server was not reached. */
  readonly status: number;
  /** What was wrong with which field, of a 422. */
  readonly fields: FieldError[];
  /** What there is now, of a 412. */
  readonly current: unknown;
  /** Seconds after which to try again, of a 429 or 503. */
  readonly retryAfter: number | undefined;
  /** Names the request in the logs of the services. */
  readonly correlationId: string | undefined;

  constructor(init: Init) {
    super(init.detail, { cause: init.cause });
    this.name = "ApiError";
    this.status = init.status;
    this.fields = init.fields ?? [];
    this.current = init.current;
    this.retryAfter = init.retryAfter;
    this.correlationId = init.correlationId;
  }

  /** Whether the same request may succeed later. */
  get passing(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}

/** The error of an answer with a bad status and, if it could be read, its body. */
export function problemOf(response: Response, body: unknown): ApiError {
  const known = typeof body === "object" && body !== null ? (body as Record<string, unknown>) : {};
  const retry = Number(response.headers.get("Retry-After") ?? NaN);
  return new ApiError({
    status: response.status,
    detail: typeof known["detail"] === "string" ? known["detail"] : unsaid(response.status),
    fields: Array.isArray(known["errors"]) ? (known["errors"] as FieldError[]) : [],
    current: known["current"],
    retryAfter: Number.isFinite(retry) ? retry : undefined,
    correlationId: response.headers.get("X-Correlation-ID") ?? undefined,
  });
}

// What stands between us and the services answers for them while they are away, without a problem of its own.
function unsaid(status: number): string {
  if (status === 502 || status === 503 || status === 504) return "The service is away for a moment.";
  return `The server answered ${status}.`;
}
