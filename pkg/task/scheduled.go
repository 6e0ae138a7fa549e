package task

import (
	"context"
	"slices"
	"time"

	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/recurrence"
)

// Cause is why a series is looked at.
type Cause struct {
	// At is when somebody found that it is due: the clocks of two machines differ, and the later one is right.
	At time.Time
	// Closed is the occurrence that was done or skipped, and ClosedAt when; empty if the clock is the cause.
	Closed   string
	ClosedAt time.Time
}

// Spawned is what Spawn did.
type Spawned struct {
	// Made are the new tasks.
	Made []Task
	// Prevented is how many there were already.
	Prevented int
	// Missed is how many were passed over because nobody made them in time.
	Missed int
	// Due is when the first that was due by the clock was to be made; zero if none was.
	Due time.Time
}

// Spawn makes what is due of a series: what the clock says, and the one that follows on a closed occurrence. Called again,
// also for another cause and by many at once, it makes nothing twice. A series or a user that is gone is no error.
func (s *Service) Spawn(ctx context.Context, userID, seriesID string, cause Cause) (Spawned, error) {
	now := later(s.now(), cause.At)
	var did Spawned
	made, err := s.store.Advance(ctx, userID, seriesID, func(series *Series, owner Profile) (tasks []Task, err error) {
		did, err = series.advance(owner.TimeZone, cause, now)
		return did.Made, err
	})
	if errs.Is(err, errs.NotFound) {
		return Spawned{}, nil
	}
	if err != nil {
		return Spawned{}, err
	}
	did.Prevented = len(did.Made) - len(made)
	did.Made = made
	return did, nil
}

// Ring fires a reminder, once. One that is not waiting any more, and a user who is gone, are no error; rang tells.
// late is how long after its time it was.
func (s *Service) Ring(ctx context.Context, userID, alarmID string) (late time.Duration, rang bool, err error) {
	err = s.store.Ring(ctx, userID, alarmID, func(t *Task, a Alarm) error {
		late, rang = t.ring(a, s.now()), true
		return nil
	})
	if err != nil {
		late, rang = 0, false
	}
	if errs.Is(err, errs.NotFound) {
		err = nil
	}
	return late, rang, err
}

// moved is how many series and tasks Move looks up at a time.
const moved = 100

// Move works out again what depends on the owner's zone, after the owner has moved: series in the owner's zone with their
// open future occurrences (but for those whose due date somebody has moved), and the reminders of whole days. It takes a
// transaction per task and may be called again from the beginning, whatever it had done.
func (s *Service) Move(ctx context.Context, userID string) error {
	// EnsureProfile may still know the old zone.
	profile, err := s.store.ChangeProfile(ctx, userID, 0, func(*Profile) error { return nil })
	if errs.Is(err, errs.NotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	zone, err := Zone(profile.TimeZone)
	if err != nil {
		return err
	}
	following := func(after string) ([]string, error) {
		return s.store.Following(ctx, userID, profile.TimeZone, after, moved)
	}
	err = each(following, func(seriesID string) error { return s.moveSeries(ctx, userID, seriesID, zone) })
	if err != nil {
		return err
	}
	days := func(after string) ([]string, error) { return s.store.OpenIDs(ctx, userID, "", after, moved) }
	return each(days, func(id string) error {
		return s.moveTask(ctx, userID, id, func(t *Task) error {
			t.setAlarms(s.now())
			return nil
		})
	})
}

// moveSeries moves the tasks before the series, which remembers the zone they were in: if it stops halfway, the rest is found.
func (s *Service) moveSeries(ctx context.Context, userID, seriesID string, zone *time.Location) error {
	open := func(after string) ([]string, error) { return s.store.OpenIDs(ctx, userID, seriesID, after, moved) }
	err := each(open, func(id string) error {
		return s.moveTask(ctx, userID, id, func(t *Task) error { return t.moveTo(zone, s.now()) })
	})
	if err != nil {
		return err
	}
	_, err = s.store.Advance(ctx, userID, seriesID, func(series *Series, _ Profile) ([]Task, error) {
		series.Zone = zone.String()
		return nil, nil
	})
	if errs.Is(err, errs.NotFound) {
		return nil
	}
	return err
}

// moveTask changes a task that may be gone, or in the trash, by now.
func (s *Service) moveTask(ctx context.Context, userID, id string, fn func(*Task) error) error {
	_, err := s.store.Change(ctx, userID, id, 0, fn)
	if errs.Is(err, errs.NotFound) || errs.Is(err, errs.Conflict) {
		return nil
	}
	return err
}

// moveTo has the occurrence due at the same time of the clock in a zone, if it is still to come and due when its series says.
func (t *Task) moveTo(zone *time.Location, now time.Time) error {
	s := t.Series
	if s == nil || !s.InOwnersZone() || !t.Open() || !t.Due.At.After(now) {
		return nil
	}
	was, err := Zone(s.Zone)
	if err != nil {
		return err
	}
	at, ok := s.placeOf(t, was)
	if !ok {
		return nil
	}
	f := t.Fields
	f.Due = Due{At: recurrence.Instant(at, zone).UTC()}
	return t.Edit(f, This, now)
}

// each calls fn with the ids of all pages.
func each(page func(after string) ([]string, error), fn func(id string) error) error {
	for after := ""; ; {
		ids, err := page(after)
		if err != nil {
			return err
		}
		for _, id := range ids {
			if err := fn(id); err != nil {
				return err
			}
			after = id
		}
		if len(ids) < moved {
			return nil
		}
	}
}

// Skip passes an occurrence over; skipped already is no change. errs.Conflict for a task that does not repeat, is done or is
// in the trash.
func (s *Service) Skip(ctx context.Context, userID, id string, version int) (Task, error) {
	return s.store.Change(ctx, userID, id, version, func(t *Task) error { return t.Skip(s.now()) })
}

// Snooze has a task ring again at a time: an absolute reminder more, for which those that are over make room. errs.Invalid
// for a time that is not to come, and for one more than fit; errs.Conflict for a task that is done or in the trash.
func (s *Service) Snooze(ctx context.Context, userID, id string, version int, until time.Time) (Task, error) {
	return s.store.Change(ctx, userID, id, version, func(t *Task) error { return t.snooze(until, s.now()) })
}

func (t *Task) snooze(until, now time.Time) error {
	if err := t.inTrash(); err != nil {
		return err
	}
	if !t.Open() {
		return errs.New(errs.Conflict, "task %s is done; reopen it first", t.ID)
	}
	if until = instant(until); !until.After(now) {
		return errs.InvalidFields(errs.Field{Field: "until", Message: "must lie in the future"})
	}
	f := t.Fields
	f.RemindAt = slices.DeleteFunc(slices.Clone(f.RemindAt), func(at time.Time) bool { return !at.After(now) })
	f.RemindAt = append(f.RemindAt, until)
	f, err := f.Normal()
	if err != nil {
		return err
	}
	return t.Edit(f, This, now)
}
