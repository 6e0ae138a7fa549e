/** What a browser refused to do on a page of ours, as far as it may be kept: no paths, no queries, no samples of scripts. */
export type Violation = {
  /** The rule that was broken, such as "script-src-elem". */
  directive: string;
  /** The origin of what was refused, or a word such as "inline" or "eval". */
  blocked: string;
  /** The path of the page, without ids and queries: its first segment. */
  page: string;
};

/** The longest report that is read, in bytes. */
export const maxReport = 16 * 1024;

/** Whether a body of this media type may be a report (CSP Level 3 §5.3). */
export function isReport(contentType: string | null): boolean {
  return /^application\/csp-report(;|$)/.test(contentType ?? "");
}

/** The violation that a report tells of; null if it is no report. */
export function violation(text: string): Violation | null {
  let said: unknown;
  try {
    said = JSON.parse(text);
  } catch {
    return null;
  }
  const report = field(said, "csp-report");
  const directive = field(report, "effective-directive") ?? field(report, "violated-directive");
  if (typeof directive !== "string") return null;
  return {
    directive: word(directive),
    blocked: origin(field(report, "blocked-uri")),
    page: firstSegment(field(report, "document-uri")),
  };
}

function field(of: unknown, name: string): unknown {
  return typeof of === "object" && of !== null ? (of as Record<string, unknown>)[name] : undefined;
}

/** Anybody can send a report, so nothing of it that is not of the expected form comes into the log. */
function word(text: string): string {
  return /^[a-z-]{1,40}$/.exec(text.split(" ", 1)[0] ?? "")?.[0] ?? "unknown";
}

function origin(url: unknown): string {
  if (typeof url !== "string") return "unknown";
  if (/^[a-z-]{1,20}$/.test(url)) return url;
  if (!URL.canParse(url)) return "unknown";
  const { origin, protocol } = new URL(url);
  return (origin === "null" ? protocol : origin).slice(0, 200);
}

function firstSegment(url: unknown): string {
  if (typeof url !== "string" || !URL.canParse(url)) return "unknown";
  return /^\/[a-z-]{0,30}(?=\/|$)/.exec(new URL(url).pathname)?.[0] ?? "unknown";
}

/** Lets so many through per minute and counts the rest: a page that is broken breaks for everybody at once. */
export class Valve {
  private left: number;
  private until = 0;
  private held = 0;

  constructor(private readonly perMinute: number) {
    this.left = perMinute;
  }

  /** Whether one more may pass at `now` (milliseconds), and how many were held back in the minute before. */
  pass(now: number): { pass: boolean; held: number } {
    let held = 0;
    if (now >= this.until) {
      held = this.held;
      [this.left, this.until, this.held] = [this.perMinute, now + 60_000, 0];
    }
    if (this.left > 0) {
      this.left--;
      return { pass: true, held };
    }
    this.held++;
    return { pass: false, held };
  }
}
