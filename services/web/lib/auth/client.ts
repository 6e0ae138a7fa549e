/** An answer of /api/auth that is not what was asked for. */
export class AuthRefusal extends Error {
  readonly status: number;
  /** Better Auth's word for the reason, such as INVALID_PASSWORD. */
  readonly code: string | undefined;
  /** Seconds after which to try again, of a 429. */
  readonly retryAfter: number | undefined;

  constructor(response: Response, body: unknown) {
    const { code, message } = (body ?? {}) as { code?: unknown; message?: unknown };
    super(typeof message === "string" ? message : `The server answered ${response.status}.`);
    this.name = "AuthRefusal";
    this.status = response.status;
    this.code = typeof code === "string" ? code : undefined;
    const seconds = Number(response.headers.get("X-Retry-After") ?? NaN);
    this.retryAfter = Number.isFinite(seconds) && seconds > 0 ? Math.ceil(seconds) : undefined;
  }
}

/**
 * Asks Better Auth for something. It has a client of its own, which weighs as much as a page may take for more than is
 * needed here. Throws AuthRefusal, and whatever fetch throws if the server cannot be reached.
 */
export async function askAuth<T = unknown>(path: string, body: Record<string, unknown> = {}): Promise<T> {
  const response = await fetch(`/api/auth${path}`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
    credentials: "same-origin",
    cache: "no-store",
    signal: AbortSignal.timeout(20_000),
  });
  const answer: unknown = await response.json().catch(() => null); // of a gateway it may be a page
  if (!response.ok) throw new AuthRefusal(response, answer);
  return answer as T;
}
