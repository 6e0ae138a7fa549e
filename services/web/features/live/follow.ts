import { type Book, heard } from "@/features/tasks/data/book";
import { isGone, isOpen } from "@/features/tasks/data/merge";

import type { Frame } from "./frames";

/** What news may lead to. */
export type Followed = {
  read: () => Book;
  write: (change: (book: Book) => Book) => void;
  /** The task has this version now; Infinity asks for it whichever it has. */
  want: (id: string, version: number) => void;
  /** Lists and numbers may be different. */
  touched: () => void;
  remind: (frame: Frame) => void;
  profileChanged: () => void;
};

/** Does what a frame asks for. Types that are not known are passed over, as the notifier's contract wants. */
export function follow(frame: Frame, to: Followed): void {
  const { type, taskId, seriesId, version } = frame;
  if (type === "user.updated") return to.profileChanged();
  if (type.startsWith("series.") && seriesId !== undefined) {
    // Which of its tasks a changed series changed is not said.
    for (const task of to.read().known.values())
      if (!isGone(task) && task.series_id === seriesId && isOpen(task)) to.want(task.id, Infinity);
    return;
  }
  if (taskId === undefined) return;
  if (type === "reminder.fired") {
    to.want(taskId, version);
    return to.remind(frame);
  }
  if (type === "task.purged") {
    to.write((book) => heard(book, [{ gone: true, id: taskId }]));
    return to.touched();
  }
  if (!type.startsWith("task.")) return;
  to.want(taskId, version);
  to.touched();
}
