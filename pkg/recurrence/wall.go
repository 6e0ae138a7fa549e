package recurrence

import "time"

// Instant is the moment at which clocks in zone show wall, of which the date and the time of day count and the location
// does not. A time that clocks jump over is read as if they had not jumped yet (RFC 5545, section 3.3.5), so it moves
// forward by the gap's length; of a time that they show twice it is the first.
func Instant(wall time.Time, zone *time.Location) time.Time {
	clock := asUTC(wall)
	// No zone is a day away from UTC, and none changes its offset twice in two days, so one of these two is the right one.
	// Time.ZoneBounds would not do: on the last day of a leap year it may end before its own time.
	const day = 24 * time.Hour
	before, after := offset(clock.Add(-day), zone), offset(clock.Add(day), zone)
	first, second := clock.Add(-before), clock.Add(-after)
	if offset(first, zone) != before && offset(second, zone) == after {
		return second
	}
	return first
}

// offset is how far a zone's clocks are ahead of UTC.
func offset(at time.Time, zone *time.Location) time.Duration {
	_, seconds := at.In(zone).Zone()
	return time.Duration(seconds) * time.Second
}
