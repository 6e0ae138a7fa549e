package task

import "time"

// Advance is what Spawn does to a series, without a store.
func (s *Series) Advance(ownerZone string, cause Cause, now time.Time) (Spawned, error) {
	return s.advance(ownerZone, cause, now)
}

// In says which zone the task's owner is in, as the Service does.
func (t *Task) In(zone string) *Task {
	t.ownerZone = zone
	return t
}
