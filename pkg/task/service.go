package task

import (
	"context"
	"time"

	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/event"
	contract "github.com/taskflow-suite/taskflow/proto"
)

// Bounds of a list and of a batch.
const (
	MaxPage     = 200
	DefaultPage = 50
	MaxBatch    = 100
)

// Service is what can be done with tasks, whoever asks: the REST door, the MCP tools, the scheduler.
// It checks input, applies the rules and saves through a Store. The user is one whose right to act was established
// before (pkg/auth). All methods are safe for concurrent use.
type Service struct {
	store Store
	now   func() time.Time
}

// NewService makes a Service on a store. now is the clock, time.Now in production.
func NewService(store Store, now func() time.Time) *Service { return &Service{store, now} }

// Create makes tasks from unchecked fields, all or none. errs.Invalid names the wrong fields.
//
// If once has a key, answer encodes what the caller will be told, and the request takes effect once: sent again with
// the same hash, the stored answer comes back instead of tasks; with another, the error is errs.Invalid.
func (s *Service) Create(ctx context.Context, userID string, once Idempotency, answer func([]Task) ([]byte, error), fields ...Fields) (made []Task, stored []byte, err error) {
	if len(fields) == 0 || len(fields) > MaxBatch {
		return nil, nil, errs.New(errs.Invalid, "1 to %d tasks at a time", MaxBatch)
	}
	if once.Key != "" {
		// Looked up first, so that a repeated request is answered as before even if rules have changed since.
		stored, err := s.recall(ctx, userID, once)
		if err == nil || !errs.Is(err, errs.NotFound) {
			return nil, stored, err
		}
	}
	profile, err := s.Profile(ctx, userID)
	if err != nil {
		return nil, nil, err
	}
	zone, err := Zone(profile.TimeZone)
	if err != nil {
		return nil, nil, err
	}
	now := s.now()
	for _, f := range fields {
		normal, err := f.Normal()
		if err != nil {
			return nil, nil, err
		}
		if err := normal.mustBegin(zone, now); err != nil {
			return nil, nil, err
		}
		made = append(made, newIn(profile.TimeZone, event.NewID(), userID, normal, now))
	}
	if once.Key != "" {
		if once.Answer, err = answer(made); err != nil {
			return nil, nil, err
		}
	}
	err = s.store.Create(ctx, userID, once, made...)
	if once.Key != "" && errs.Is(err, errs.Conflict) {
		// The same request, sent twice at the same time: the other one was first.
		stored, err := s.recall(ctx, userID, once)
		return nil, stored, err
	}
	if err != nil {
		return nil, nil, err
	}
	return made, nil, nil
}

func (s *Service) recall(ctx context.Context, userID string, once Idempotency) ([]byte, error) {
	before, err := s.store.Recall(ctx, userID, once.Key)
	if err != nil {
		return nil, err
	}
	if before.Hash != once.Hash {
		return nil, errs.New(errs.Invalid, "this Idempotency-Key was used with another request")
	}
	return before.Answer, nil
}

// Get returns one task, in the trash or not. errs.NotFound if the user has none of that id.
func (s *Service) Get(ctx context.Context, userID, id string) (Task, error) {
	return s.store.Get(ctx, userID, id)
}

// List returns one page of tasks. Limit 0 is DefaultPage. errs.Invalid for a limit out of bounds or a cursor that no
// page of the same query gave.
func (s *Service) List(ctx context.Context, userID string, q Query) (Page, error) {
	if q.Limit == 0 {
		q.Limit = DefaultPage
	}
	if q.Limit < 1 || q.Limit > MaxPage {
		return Page{}, errs.InvalidFields(errs.Field{Field: "limit", Message: "must be 1 to 200"})
	}
	if q.Order == "" {
		q.Order = ByCreated
	}
	return s.store.List(ctx, userID, q)
}

// Series returns those of the user's series that have one of these ids, by id: what is no id of theirs is left out.
// errs.Invalid for more than MaxPage.
func (s *Service) Series(ctx context.Context, userID string, ids []string) ([]Series, error) {
	return s.store.Series(ctx, userID, ids)
}

// Edit changes what edit changes of the task's fields, and, if done is not nil, whether it is completed. The scope, This if
// empty, says whether it reaches beyond this occurrence of a series. version 0 means whatever the current one is. errs.Stale
// with the current task if it is not; errs.Invalid names the wrong fields; errs.Conflict in the trash.
func (s *Service) Edit(ctx context.Context, userID, id string, version int, scope Scope, edit func(*Fields), done *bool) (Task, error) {
	if scope != "" && scope != This && scope != Following {
		return Task{}, errs.InvalidFields(errs.Field{Field: "scope", Message: "must be this or following"})
	}
	profile, err := s.Profile(ctx, userID)
	if err != nil {
		return Task{}, err
	}
	return s.store.Change(ctx, userID, id, version, func(t *Task) error {
		t.ownerZone = profile.TimeZone
		fields := t.Fields
		edit(&fields)
		normal, err := fields.Normal()
		if err != nil {
			return err
		}
		now := s.now()
		// What is opened again can count from its completion, so that comes first.
		if done != nil && !*done {
			if err := t.Reopen(now); err != nil {
				return err
			}
		}
		if err := t.Edit(normal, scope, now); err != nil || done == nil || !*done {
			return err
		}
		return t.Complete(now)
	})
}

// SetCompleted completes or reopens a task. errs.Conflict in the trash.
func (s *Service) SetCompleted(ctx context.Context, userID, id string, version int, done bool) (Task, error) {
	return s.store.Change(ctx, userID, id, version, func(t *Task) error {
		if done {
			return t.Complete(s.now())
		}
		return t.Reopen(s.now())
	})
}

// Delete moves a task to the trash; there already is no error.
func (s *Service) Delete(ctx context.Context, userID, id string, version int) (Task, error) {
	return s.store.Change(ctx, userID, id, version, func(t *Task) error { return t.Delete(s.now()) })
}

// Restore takes a task out of the trash; outside it already is no error.
func (s *Service) Restore(ctx context.Context, userID, id string, version int) (Task, error) {
	return s.store.Change(ctx, userID, id, version, func(t *Task) error { return t.Restore(s.now()) })
}

// Stats counts the user's tasks, by the days of the user's zone.
func (s *Service) Stats(ctx context.Context, userID string) (Stats, error) {
	profile, err := s.Profile(ctx, userID)
	if err != nil {
		return Stats{}, err
	}
	zone, err := Zone(profile.TimeZone)
	if err != nil {
		return Stats{}, err
	}
	return s.store.Stats(ctx, userID, s.now(), zone)
}

// Profile returns the user's profile and makes it, in UTC, on the user's first request.
func (s *Service) Profile(ctx context.Context, userID string) (Profile, error) {
	return s.store.EnsureProfile(ctx, userID, "UTC", s.now())
}

// SetTimeZone moves the user to a zone. errs.Invalid if there is no such zone; errs.Stale as in Edit.
func (s *Service) SetTimeZone(ctx context.Context, userID string, version int, zone string) (Profile, error) {
	if _, err := s.Profile(ctx, userID); err != nil {
		return Profile{}, err
	}
	return s.store.ChangeProfile(ctx, userID, version, func(p *Profile) error { return p.SetTimeZone(zone, s.now()) })
}

// Forget deletes the user with everything of theirs. errs.NotFound if nothing is known of the user.
func (s *Service) Forget(ctx context.Context, userID string) error {
	return s.store.Forget(ctx, userID, s.now())
}

// Events returns the user's events of a topic, or of one task if id is not empty, above a sequence, and the current
// sequence. Limit 0 is 200. errs.Invalid for a limit above 1000.
func (s *Service) Events(ctx context.Context, userID string, topic contract.Topic, id string, since int64, limit int) ([]event.Envelope, int64, error) {
	return s.events(ctx, EventQuery{UserID: userID, Topic: topic, AggregateID: id, Since: since, Limit: limit})
}

// EventsBefore is Events with the newest first, below a sequence, or all if that is 0.
func (s *Service) EventsBefore(ctx context.Context, userID string, topic contract.Topic, id string, before int64, limit int) ([]event.Envelope, int64, error) {
	return s.events(ctx, EventQuery{UserID: userID, Topic: topic, AggregateID: id, Newest: true, Before: before, Limit: limit})
}

func (s *Service) events(ctx context.Context, q EventQuery) ([]event.Envelope, int64, error) {
	if q.Limit == 0 {
		q.Limit = 200
	}
	if q.Limit < 1 || q.Limit > 1000 {
		return nil, 0, errs.InvalidFields(errs.Field{Field: "limit", Message: "must be 1 to 1000"})
	}
	return s.store.Events(ctx, q)
}

// EmptyTrash purges, in portions, what has been in the trash for TrashDays. It returns how many tasks went.
func (s *Service) EmptyTrash(ctx context.Context) (int, error) {
	const portion = 500
	total := 0
	for {
		now := s.now()
		n, err := s.store.Purge(ctx, now.AddDate(0, 0, -TrashDays), now, portion)
		total += n
		if err != nil || n < portion {
			return total, err
		}
	}
}
