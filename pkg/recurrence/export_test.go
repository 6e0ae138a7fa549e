package recurrence

import "time"

// Steps is how much work the first n occurrences are: years, days and periods looked at.
func (r *Rule) Steps(start time.Time, zone *time.Location, after time.Time, n int) int {
	_, steps := r.occurrences(start, zone, after, n)
	return steps
}
