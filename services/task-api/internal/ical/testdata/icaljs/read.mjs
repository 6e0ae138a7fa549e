// Reads a calendar with ical.js and says what it holds, as JSON: for each to-do its properties, its due instant and, if it
// repeats, its first occurrences; for each zone, on the lines of standard input after the calendar, what instants its clocks'
// times are. Input is JSON: {calendar, count, walls: {zone: ["2026-03-29T02:30:00", ...]}}.
import ICAL from "ical.js";

ICAL.Timezone.MAX_YEAR = 2120;

let input = "";
for await (const part of process.stdin) input += part;
const { calendar, count, walls } = JSON.parse(input);

const root = new ICAL.Component(ICAL.parse(calendar));
const zones = {};
for (const zone of root.getAllSubcomponents("vtimezone")) {
  const read = new ICAL.Timezone(zone);
  zones[read.tzid] = read;
  ICAL.TimezoneService.register(read);
}

const instant = (time) => (time.isDate ? time.toString() : new Date(time.toUnixTime() * 1000).toISOString());
const value = (todo, name) => todo.getFirstPropertyValue(name);

const todos = root.getAllSubcomponents("vtodo").map((todo) => {
  const said = {
    uid: value(todo, "uid"),
    summary: value(todo, "summary"),
    description: value(todo, "description") ?? "",
    priority: value(todo, "priority") ?? 0,
    categories: todo.getFirstProperty("categories")?.getValues() ?? [],
    status: value(todo, "status"),
    related: value(todo, "related-to") ?? "",
    due: value(todo, "due") ? instant(value(todo, "due")) : "",
    recurrenceID: value(todo, "recurrence-id") ? instant(value(todo, "recurrence-id")) : "",
    triggers: todo.getAllSubcomponents("valarm").map((alarm) => String(value(alarm, "trigger"))),
    occurrences: [],
  };
  if (value(todo, "rrule")) {
    const iterator = value(todo, "rrule").iterator(value(todo, "dtstart"));
    for (let next = iterator.next(); next && said.occurrences.length < count; next = iterator.next()) {
      said.occurrences.push(instant(next));
    }
  }
  return said;
});

const instants = {};
for (const [zone, times] of Object.entries(walls ?? {})) {
  instants[zone] = times.map((text) => {
    const time = ICAL.Time.fromDateTimeString(text);
    time.zone = zones[zone];
    return time.toUnixTime();
  });
}
process.stdout.write(JSON.stringify({ version: value(root, "version"), todos, instants }));
