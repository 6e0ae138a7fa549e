import type { Changes } from "@/features/tasks/data/door";

/** What the notifier says; services/notifier/README.md lists the types. Members that a type lacks are undefined. */
export type Frame = {
  readonly type: string;
  /** The place in the user's log; of what has none, undefined. */
  readonly sequence: number | undefined;
  readonly timestamp: string | undefined;
  readonly eventId: string | undefined;
  readonly taskId: string | undefined;
  readonly seriesId: string | undefined;
  readonly version: number;
  /** Of `hello` and `resync`: where the log stands. */
  readonly current: number | undefined;
  /** Of a reminder: it rang noticeably after its time, by so many seconds. */
  readonly late: boolean;
  readonly lateSeconds: number;
};

/** The frame in a message; undefined for what is none, which is passed over. */
export function frameOf(message: unknown): Frame | undefined {
  if (typeof message !== "string") return undefined;
  let read: unknown;
  try {
    read = JSON.parse(message);
  } catch {
    return undefined;
  }
  if (!isRecord(read) || typeof read["type"] !== "string") return undefined;
  const data = isRecord(read["data"]) ? read["data"] : {};
  return {
    type: read["type"],
    sequence: number(read["sequence"]),
    timestamp: text(read["timestamp"]),
    eventId: text(data["event_id"]),
    taskId: text(data["task_id"]),
    seriesId: text(data["series_id"]),
    version: number(data["version"]) ?? 0,
    current: number(data["sequence"]),
    late: data["late"] === true,
    lateSeconds: number(data["late_seconds"]) ?? 0,
  };
}

/** A change that was asked for, as the frame that would have told it. */
export function frameOfChange(change: Changes["changes"][number]): Frame {
  return {
    type: change.event_type,
    sequence: change.sequence,
    timestamp: change.timestamp,
    eventId: change.event_id,
    taskId: change.task_id,
    seriesId: change.series_id,
    version: change.version,
    current: undefined,
    late: false,
    lateSeconds: 0,
  };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function number(value: unknown): number | undefined {
  return typeof value === "number" && Number.isFinite(value) ? value : undefined;
}

function text(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}
