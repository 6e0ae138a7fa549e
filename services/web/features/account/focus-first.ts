/** Puts the focus on the first field that something is wrong with; false if nothing is. */
export function focusFirst(form: HTMLFormElement, wrong: Record<string, string | undefined>): boolean {
  const name = Object.keys(wrong).find((n) => wrong[n]);
  if (!name) return false;
  const control = form.elements.namedItem(name);
  if (control instanceof HTMLElement) control.focus();
  return true;
}
