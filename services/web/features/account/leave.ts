/**
 * Goes to a page as a new document, so that nothing of who was signed in is left in memory, and the server looks again who
 * is.
 */
export function leaveFor(path: string): void {
  location.assign(path);
}
