/** Goes onto a field in a dialog: while `kept`, the next Escape is the field's own and does not close the dialog. */
export function keepsEscape(kept: boolean): { "data-keeps-escape"?: "" } {
  return kept ? { "data-keeps-escape": "" } : {};
}
