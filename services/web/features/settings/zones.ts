/** What a search for zones looks at: "america/new_york" is found by "new york" and by "york america". */
export function matchesZone(zone: string, search: string): boolean {
  const name = zone.toLowerCase().replaceAll("_", " ");
  return search
    .toLowerCase()
    .split(/[\s/_,]+/)
    .every((word) => name.includes(word));
}

/** The zones that a search finds, at most `most`; those with the city's name first. */
export function findZones(zones: readonly string[], search: string, most: number): string[] {
  const first = search.trim().toLowerCase().replaceAll(" ", "_");
  const begins = (zone: string) => (zone.toLowerCase().split("/").at(-1)?.startsWith(first) ? 0 : 1);
  return zones
    .filter((zone) => matchesZone(zone, search))
    .sort((a, b) => begins(a) - begins(b) || a.localeCompare(b))
    .slice(0, most);
}

/** "14:05, UTC+1" in a zone at a moment. */
export function timeIn(zone: string, now: Date): string {
  const parts = new Intl.DateTimeFormat("en-GB", {
    timeZone: zone,
    hour: "2-digit",
    minute: "2-digit",
    timeZoneName: "shortOffset",
  }).formatToParts(now);
  const of = (type: Intl.DateTimeFormatPartTypes) => parts.find((p) => p.type === type)?.value ?? "";
  return `${of("hour")}:${of("minute")}, ${of("timeZoneName").replace("GMT", "UTC").replace(/\+0$/, "")}`;
}
