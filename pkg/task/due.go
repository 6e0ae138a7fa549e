package task

import (
	"slices"
	"time"

	"github.com/taskflow-suite/taskflow/pkg/event"
	"github.com/taskflow-suite/taskflow/pkg/recurrence"
	contract "github.com/taskflow-suite/taskflow/proto"
	taskv1 "github.com/taskflow-suite/taskflow/proto/gen/taskflow/task/v1"
)

// clocks are those a series goes by: its own, and its owner's, whose morning a whole day's reminders count back from.
type clocks struct{ zone, owner *time.Location }

// place is an occurrence that is to be made.
type place struct {
	wall time.Time
	// at is when it is to be made.
	at time.Time
}

func (s *Series) clocks(ownerZone string) (clocks, error) {
	owner, err := Zone(ownerZone)
	if err != nil {
		return clocks{}, err
	}
	if s.InOwnersZone() {
		return clocks{owner, owner}, nil
	}
	zone, err := Zone(s.Recurrence.TimeZone)
	return clocks{zone, owner}, err
}

// zone is the one the rule is read in.
func (s *Series) zone(owner *time.Location) *time.Location {
	if s.InOwnersZone() {
		return owner
	}
	return zoneOr(s.Recurrence.TimeZone, owner)
}

// zoneOr is a zone by its name, another if there is none of it.
func zoneOr(name string, other *time.Location) *time.Location {
	if zone, err := Zone(name); err == nil {
		return zone
	}
	return other
}

// dueOf is when an occurrence is due. A day that the zone jumped over is the next one.
func (s *Series) dueOf(wall time.Time, zone *time.Location) Due {
	at := recurrence.Instant(wall, zone)
	if s.WholeDay {
		return Due{Date: at.In(zone).Format(time.DateOnly)}
	}
	return Due{At: at.UTC()}
}

// from is when an occurrence has to be there: its time, or its first reminder's.
func (s *Series) from(wall time.Time, c clocks) time.Time {
	at := recurrence.Instant(wall, c.zone)
	if len(s.Reminders) == 0 {
		return at.UTC()
	}
	first := s.dueOf(wall, c.zone).remindedOf(c.owner).Add(-time.Duration(slices.Max(s.Reminders)) * time.Minute)
	return earlier(at, first).UTC()
}

// isOver reports whether an occurrence is over, so that whoever does not want to catch up has missed it: an hour after its time,
// or with its day.
func (s *Series) isOver(wall time.Time, c clocks, now time.Time) bool {
	if s.WholeDay {
		return !now.Before(s.dueOf(wall, c.zone).Deadline(c.zone))
	}
	return now.After(recurrence.Instant(wall, c.zone).Add(time.Hour))
}

// places yields what the clock makes after the cursor, in order.
func (s *Series) places(c clocks, yield func(place) bool) error {
	if s.Ended() || s.Recurrence.Anchor == OnCompletion {
		return nil
	}
	rule, err := recurrence.Parse(s.Recurrence.Rule)
	if err != nil {
		return err
	}
	before := recurrence.Instant(s.Cursor, c.zone).UTC()
	for wall := range rule.Walls(s.Start, c.zone, s.Cursor) {
		if !yield(place{wall, later(s.from(wall, c), before)}) {
			return nil
		}
		before = recurrence.Instant(wall, c.zone).UTC()
	}
	return nil
}

// plan sets Next and NextAt.
func (s *Series) plan(c clocks) error {
	s.Next, s.NextAt = time.Time{}, time.Time{}
	return s.places(c, func(p place) bool {
		s.Next, s.NextAt = p.wall, p.at
		return false
	})
}

// due takes from the series what is due by the clock, and returns those that are to be made of it, at most MaxCatchUp. missed
// are the others; first is when the first of all was to be made.
func (s *Series) due(c clocks, now time.Time) (made []place, missed int, first time.Time, err error) {
	n := 0
	err = s.places(c, func(p place) bool {
		if p.at.After(now) {
			return false
		}
		if n++; n == 1 {
			first = p.at
		}
		if len(made) == MaxCatchUp {
			made = slices.Delete(made, 0, 1)
		}
		made = append(made, p)
		return true
	})
	if err != nil || n == 0 {
		return nil, 0, time.Time{}, err
	}
	last := made[len(made)-1]
	s.Cursor = last.wall
	switch s.Recurrence.CatchUp {
	case All:
	case PassOver:
		if made = []place{last}; s.isOver(last.wall, c, now) {
			made = nil
		}
	default:
		made = []place{last}
	}
	return made, n - len(made), first, nil
}

// after takes from the series the occurrence that follows on its newest, closed at a time: the next by the clock, or the first
// after the day it was closed. False if there is none.
func (s *Series) after(c clocks, closedAt time.Time) (due time.Time, ok bool, err error) {
	if s.Ended() {
		return time.Time{}, false, nil
	}
	if s.Recurrence.Anchor != OnCompletion {
		err := s.places(c, func(p place) bool {
			due, ok = p.wall, true
			s.Cursor = p.wall
			return false
		})
		return due, ok, err
	}
	rule, err := recurrence.Parse(s.Recurrence.Rule)
	if err != nil || rule.Count() > 0 && s.Made >= rule.Count() {
		return time.Time{}, false, err
	}
	if due, ok = rule.FromCompletion(s.Start, c.zone, closedAt); !ok {
		return time.Time{}, false, nil
	}
	// Done long before its time, the next may come before it, or when it would have come. Places in a series rise and are
	// taken once, so its place is the one right behind.
	s.Cursor = later(due, s.Cursor.Add(time.Second))
	return due, true, nil
}

// advance makes what is due of the series: by the clock, and by the cause. What it made is not saved yet.
func (s *Series) advance(ownerZone string, cause Cause, now time.Time) (Spawned, error) {
	c, err := s.clocks(ownerZone)
	if err != nil {
		return Spawned{}, err
	}
	newest := s.Newest
	made, missed, first, err := s.due(c, now)
	if err != nil {
		return Spawned{}, err
	}
	did := Spawned{Missed: missed, Due: first}
	for _, p := range made {
		did.Made = append(did.Made, s.occurrence(p.wall, s.dueOf(p.wall, c.zone), s.from(p.wall, c), now))
	}
	if len(made) == 0 && cause.Closed != "" && cause.Closed == newest {
		due, ok, err := s.after(c, cause.ClosedAt)
		if err != nil {
			return Spawned{}, err
		}
		if ok {
			did.Made = append(did.Made, s.occurrence(s.Cursor, s.dueOf(due, c.zone), now, now))
		}
	}
	return did, nil
}

// occurrence makes the task of a place. Its reminders ring from a time on.
func (s *Series) occurrence(at time.Time, due Due, alarms, now time.Time) Task {
	now = instant(now)
	t := Task{ID: event.NewID(), UserID: s.UserID, Occurrence: Occurrence{s.ID, at}, CreatedAt: now, UpdatedAt: now}
	t.set(templateFields, s.Fields)
	t.Due = due
	t.setAlarms(alarms)
	record(&t, contract.TaskCreated, &taskv1.TaskCreated{Fields: t.message(), Occurrence: t.Occurrence.message()})
	s.Newest = t.ID
	s.Made++
	return t
}

// placeOf is the clock time at which a task of the series is due in a zone, unless somebody has moved it: then ok is false.
func (s *Series) placeOf(t *Task, zone *time.Location) (at time.Time, ok bool) {
	shown := clockIn(t.Due.At, zone)
	if s.Recurrence.Anchor == OnCompletion {
		// Its place may be another than its time: see after.
		return shown, timeOfDay(shown) == timeOfDay(s.Start)
	}
	at = t.Occurrence.At
	return at, shown.Equal(at) || t.Due.Equal(s.dueOf(at, zone))
}
