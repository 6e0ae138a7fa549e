const unit = { s: 1, m: 60, h: 3600, d: 86_400 };

/** The seconds of "30s", "15m", "1h30m" or "7d"; undefined for what is none of these. */
export function parseDuration(text: string): number | undefined {
  if (!/^(\d+[smhd])+$/.test(text)) return undefined;
  let seconds = 0;
  for (const [, count, of] of text.matchAll(/(\d+)([smhd])/g)) {
    seconds += Number(count) * unit[of as keyof typeof unit];
  }
  return seconds;
}
