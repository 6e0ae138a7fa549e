package task

import (
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/taskflow-suite/taskflow/pkg/event"
	contract "github.com/taskflow-suite/taskflow/proto"
	schedulev1 "github.com/taskflow-suite/taskflow/proto/gen/taskflow/schedule/v1"
	taskv1 "github.com/taskflow-suite/taskflow/proto/gen/taskflow/task/v1"
)

// MaxCatchUp is how many missed occurrences of one series are made at once at most.
const MaxCatchUp = 100

// Scope says what a change of one occurrence reaches.
type Scope string

// The scopes.
const (
	// This is the occurrence alone; the series stays as it is. A change of the recurrence is the series' all the same.
	This Scope = "this"
	// Following is the occurrence and all that are made after it. Those that exist stay as they are.
	Following Scope = "following"
)

// Series is a task that repeats: what its occurrences are made of, and when. Each occurrence is a Task of its own, made
// when its time comes or when the one before it is done or skipped, whichever is first.
type Series struct {
	// ID is a UUIDv7.
	ID     string
	UserID string
	// Fields are what occurrences are made of. There is a Recurrence, and neither Due nor RemindAt.
	Fields
	// Start is the first occurrence on the clock, whether the rule selects it or not, in whole seconds and in UTC as if it
	// were there; midnight for WholeDay.
	Start    time.Time
	WholeDay bool
	// Version counts the series' events.
	Version   int
	CreatedAt time.Time
	UpdatedAt time.Time
	// EndedAt is when somebody ended it; zero while it goes on. One whose rule has come to its end is not ended by anybody.
	EndedAt time.Time

	Progress

	facts []event.Draft
}

// Progress is how far a series has come. It is derived: no event tells of it, and it can be worked out again.
type Progress struct {
	// Zone is the IANA zone that the due dates of open occurrences are in. It is not the owner's any more from when the owner
	// moves until Service.Move has come to the series.
	Zone string
	// Cursor is the latest occurrence that was decided on, on the clock: made, or passed over.
	Cursor time.Time
	// Made is how many were made, the first included, since Start.
	Made int
	// Newest is the task of the latest occurrence that was made.
	Newest string
	// Next is the occurrence that the clock makes next, on the clock, and NextAt when. NextAt is its time, or earlier if a
	// reminder comes before it, but not before the occurrence before it. Both are zero if the clock makes none: it has
	// ended, or counts from completion.
	Next   time.Time
	NextAt time.Time
}

// Facts are the events of the changes made to this copy since it was loaded or made, in order.
func (s *Series) Facts() []event.Draft { return s.facts }

// Ended reports whether somebody ended it.
func (s *Series) Ended() bool { return !s.EndedAt.IsZero() }

// InOwnersZone reports whether the rule is read in the owner's zone, wherever that is.
func (s *Series) InOwnersZone() bool { return s.Recurrence.TimeZone == "" }

// Settle works out when the series goes on, and gives it a zone if it has none. The store calls it before it saves a series,
// with the owner's zone, which does not change until the commit. A series that was in another zone stays in it: see
// Progress.Zone.
func (s *Series) Settle(ownerZone string) error {
	switch {
	case !s.InOwnersZone():
		s.Zone = s.Recurrence.TimeZone
	case s.Zone == "":
		s.Zone = ownerZone
	}
	clocks, err := s.clocks(ownerZone)
	if err != nil {
		return err
	}
	return s.plan(clocks)
}

// end ends the series, if it has not ended.
func (s *Series) end(now time.Time) {
	if s.Ended() {
		return
	}
	s.EndedAt = instant(now)
	recordSeries(s, contract.SeriesEnded, &taskv1.SeriesEnded{}, now)
}

// resume has an ended series go on.
func (s *Series) resume(now time.Time) {
	if !s.Ended() {
		return
	}
	s.EndedAt = time.Time{}
	recordSeries(s, contract.SeriesResumed, &taskv1.SeriesResumed{}, now)
}

// startChanged is the name that a changed Start or WholeDay has in events, beside the names of fields.
const startChanged = "start"

// change makes the named fields of f, and start if it is another, those of what is made from now on.
func (s *Series) change(names []string, f Fields, start time.Time, wholeDay bool, now time.Time) {
	s.set(names, f)
	if !start.Equal(s.Start) || wholeDay != s.WholeDay {
		s.Start, s.WholeDay = start, wholeDay
		names = append(names, startChanged)
	}
	if len(names) == 0 {
		return
	}
	recordSeries(s, contract.SeriesUpdated, &taskv1.SeriesUpdated{
		Changed: names, Fields: s.only(names).message(), Start: wall(s.Start), WholeDay: s.WholeDay,
	}, now)
}

// recordSeries is record for a series.
func recordSeries[P proto.Message](s *Series, kind contract.Type[P], payload P, now time.Time) {
	s.Version++
	s.UpdatedAt = instant(now)
	s.facts = append(s.facts, event.New(kind, s.UpdatedAt, s.UserID, s.ID, s.Version, payload))
}

// RecurrenceDue is the trigger of a series that was claimed for the n-th time.
func RecurrenceDue(seriesID, userID string, p Progress, n int, now time.Time) event.Draft {
	return event.New(contract.RecurrenceDue, instant(now), userID, seriesID, n, &schedulev1.RecurrenceDue{
		SeriesId: seriesID, Occurrence: wall(p.Next), DueAt: timestamppb.New(p.NextAt),
	})
}
