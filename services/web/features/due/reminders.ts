const units = [
  { minutes: 10_080, one: "week", more: "weeks" },
  { minutes: 1440, one: "day", more: "days" },
  { minutes: 60, one: "hour", more: "hours" },
  { minutes: 1, one: "min", more: "min" },
] as const;

/** "30 min before", "1 day before", "1 hour 30 min before", "When it is due". */
export function reminderLabel(minutes: number): string {
  if (minutes === 0) return "When it is due";
  let left = minutes;
  const parts: string[] = [];
  for (const unit of units) {
    const n = Math.floor(left / unit.minutes);
    left -= n * unit.minutes;
    if (n > 0) parts.push(`${n} ${n === 1 ? unit.one : unit.more}`);
  }
  return `${parts.join(" ")} before`;
}
