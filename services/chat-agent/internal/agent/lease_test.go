package agent

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/sidecar"
)

// store is a state store with one key.
type store struct {
	mu   sync.Mutex
	data []byte
	tag  string
	ends time.Time
	down atomic.Bool
}

func (s *store) do(fn func(there bool) error) error {
	if s.down.Load() {
		return errs.New(errs.Unavailable, "down")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return fn(s.data != nil && time.Now().Before(s.ends))
}

func (s *store) set(data []byte, ttl time.Duration) {
	s.data, s.tag, s.ends = data, s.tag+"x", time.Now().Add(ttl)
}

func (s *store) Get(context.Context, string) (v sidecar.Value, err error) {
	err = s.do(func(there bool) error {
		if !there {
			return errs.New(errs.NotFound, "none")
		}
		v = sidecar.Value{Data: s.data, ETag: s.tag}
		return nil
	})
	return v, err
}

func (s *store) Create(_ context.Context, _ string, data []byte, ttl time.Duration) error {
	return s.do(func(there bool) error {
		if there {
			return errs.New(errs.Stale, "there")
		}
		s.set(data, ttl)
		return nil
	})
}

func (s *store) Replace(_ context.Context, _ string, data []byte, etag string, ttl time.Duration) error {
	return s.do(func(there bool) error {
		if !there || s.tag != etag {
			return errs.New(errs.Stale, "changed")
		}
		s.set(data, ttl)
		return nil
	})
}

func (s *store) Delete(_ context.Context, _, etag string) error {
	return s.do(func(there bool) error {
		if !there || s.tag != etag {
			return errs.New(errs.Stale, "changed")
		}
		s.data = nil
		return nil
	})
}

func holder(s *store) *Agent {
	return New(Options{State: s, Limits: Limits{Wait: 20 * time.Second}})
}

func TestAConversationIsHeldAsLongAsItTakes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &store{}
		held, release, err := holder(s).hold(t.Context(), "u", "c")
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		if _, _, err := holder(s).hold(t.Context(), "u", "c"); !errs.Is(err, errs.Conflict) || time.Since(began) != 20*time.Second {
			t.Errorf("the second says %v after %v", err, time.Since(began))
		}
		<-time.After(time.Minute)
		if held.Err() != nil {
			t.Errorf("it was lost: %v", context.Cause(held))
		}
		release()
		began = time.Now()
		_, again, err := holder(s).hold(t.Context(), "u", "c")
		if err != nil || time.Since(began) != 0 {
			t.Fatalf("after its release: %v after %v", err, time.Since(began))
		}
		again()
	})
}

func TestAConversationOfADeadProcessIsFreeSoon(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &store{}
		if err := s.Create(t.Context(), "", []byte(`{"owner":"dead"}`), leaseLives); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		_, release, err := holder(s).hold(t.Context(), "u", "c")
		if took := time.Since(began); err != nil || took > leaseLives+time.Second {
			t.Fatalf("%v after %v", err, took)
		}
		release()
	})
}

func TestARunEndsBeforeAHoldThatCannotBeRenewed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &store{}
		held, release, err := holder(s).hold(t.Context(), "u", "c")
		if err != nil {
			t.Fatal(err)
		}
		defer release()
		began := time.Now()
		// A short outage is survived.
		s.down.Store(true)
		<-time.After(5 * time.Second)
		s.down.Store(false)
		<-time.After(5 * time.Second)
		if held.Err() != nil {
			t.Fatalf("it was lost after %v", time.Since(began))
		}
		s.down.Store(true)
		began = time.Now()
		<-held.Done()
		if took := time.Since(began); !errors.Is(context.Cause(held), errLost) || took >= leaseLives {
			t.Errorf("it ended with %v after %v", context.Cause(held), took)
		}
	})
}

func TestAHoldThatWasTakenOverIsLost(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &store{}
		held, release, err := holder(s).hold(t.Context(), "u", "c")
		if err != nil {
			t.Fatal(err)
		}
		s.mu.Lock()
		s.set([]byte(`{"owner":"another"}`), time.Hour)
		s.mu.Unlock()
		<-held.Done()
		if !errors.Is(context.Cause(held), errLost) {
			t.Errorf("it ended with %v", context.Cause(held))
		}
		release()
		if v, err := s.Get(t.Context(), ""); err != nil || string(v.Data) != `{"owner":"another"}` {
			t.Errorf("the other's hold is %s, %v", v.Data, err)
		}
	})
}

func TestClaimsAndDenials(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"I've added milk.": true, "I have just deleted it": true, "I’ve rescheduled the meeting.": true, "We updated your task.": true,
		"The task has been completed.": true, "All tasks were deleted": true, "Everything is marked as done": true, "Done.": true, "All done!": true,
		"Sure!\nAdded milk.": true, `"Buy milk" was added.`: true, "I skipped the standup.": true, "Snoozed it for an hour.": true, "Deleted 3 tasks.": true, "Successfully created the task.": true,
		"I can add milk if you like.": false, "Shall I delete it?": false, "I have not added anything.": false, "I haven't deleted it.": false,
		"Nothing has been changed.": false, "No tasks were deleted.": false, "Completed tasks: 3": false, "You completed 3 tasks last week.": false,
		"You have 2 tasks to do.": false, "I found no task to complete.": false, "Which one is it?": false, "": false,
	} {
		if got := claims(text); got != want {
			t.Errorf("%q claims a change: %v", text, got)
		}
	}
}

func FuzzResults(f *testing.F) {
	f.Add(`{"ids":["a","b"],"tasks":[{"id":"c"}],"id":"d"}`)
	f.Add(`{"ids":[1,null,{"id":{}}]}`)
	f.Fuzz(func(t *testing.T, text string) {
		object := firstJSON(text)
		if object == nil {
			return
		}
		d := newDeed(tool{changes: true}, nil, result{outcome: done, output: object, text: text})
		if d.Outcome != string(done) && d.Outcome != string(failed) {
			t.Errorf("the outcome is %q", d.Outcome)
		}
		wrapped := data(result{outcome: done, output: object})
		if n := len(wrapped) - len("</data>"); wrapped[n:] != "</data>" || strings.Contains(wrapped[len("<data>"):n], "<") {
			t.Errorf("wrapped as %s", wrapped)
		}
	})
}
