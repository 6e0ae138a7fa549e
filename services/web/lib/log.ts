type Level = "debug" | "info" | "warn" | "error";

/**
 * One line of JSON, as the other services log. Of an error its name and message are said and nothing else: the rest of a
 * database error quotes values.
 */
export function log(level: Level, message: string, about: Record<string, unknown> = {}): void {
  const line = JSON.stringify({
    time: new Date().toISOString(),
    level: level.toUpperCase(),
    msg: message,
    service_name: "web",
    ...about,
  });
  process[level === "error" ? "stderr" : "stdout"].write(line + "\n");
}

/** What may be logged of an error. */
export function cause(err: unknown): string {
  return err instanceof Error ? `${err.name}: ${err.message}` : typeof err;
}
