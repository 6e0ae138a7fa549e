/** Lets the browser save a file, as if it had been linked to. */
export function saveFile(file: Blob, name: string): void {
  const url = URL.createObjectURL(file);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  document.body.append(link);
  link.click();
  link.remove();
  // The browser has taken the file by the next turn of its loop, though nothing says so; a minute is ample.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
