import { type Book, heard, reloaded } from "./book";
import type { Door } from "./door";

const pageSize = 200;
/** More open tasks than this are not held in the page. */
export const mostOpen = 10_000;

/**
 * Loads all open tasks into the book, page by page, so that the first show while the rest comes. Those due first come first.
 * `more` says that there were too many; then the book holds those that are due first.
 */
export async function loadOpen(
  door: Pick<Door, "list">,
  read: () => Book,
  write: (change: (book: Book) => Book) => void,
  signal?: AbortSignal,
): Promise<{ more: boolean }> {
  const before = read().known;
  const seen = new Set<string>();
  for (let cursor: string | undefined; ;) {
    const page = await door.list({ status: "open", sort: "due_date", limit: pageSize, cursor }, signal);
    for (const task of page.items) seen.add(task.id);
    write((book) => heard(book, page.items));
    if (page.next_cursor === null) break;
    if (seen.size >= mostOpen) return { more: true };
    cursor = page.next_cursor;
  }
  write((book) => reloaded(book, before, seen));
  return { more: false };
}
