package tasktest

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/task"
	contract "github.com/taskflow-suite/taskflow/proto"
)

const crowd = 20

// atOnce runs fn in a crowd that starts together.
func atOnce(fn func(i int)) {
	var ready, done sync.WaitGroup
	ready.Add(crowd)
	for i := range crowd {
		done.Go(func() {
			ready.Done()
			ready.Wait()
			fn(i)
		})
	}
	done.Wait()
}

// wantWhole checks that the user's sequences have no gap and that each aggregate's versions rise by one.
func (s suite) wantWhole(t *testing.T, topic contract.Topic) int {
	t.Helper()
	versions := map[string]int{}
	events := s.events(t, user, topic)
	for i, e := range events {
		if e.Sequence != int64(i+1) {
			t.Fatalf("event %d has sequence %d", i+1, e.Sequence)
		}
		if e.Version != versions[e.AggregateID]+1 {
			t.Fatalf("%s goes from version %d to %d", e.AggregateID, versions[e.AggregateID], e.Version)
		}
		versions[e.AggregateID] = e.Version
	}
	return len(events)
}

var together = map[string]func(*testing.T, suite){
	"of a crowd with the same version one changes the task": func(t *testing.T, s suite) {
		made := s.made(t, user, titled("x"), start)
		var won, stale atomic.Int32
		atOnce(func(int) {
			_, err := s.Change(t.Context(), user, made.ID, 1, func(x *task.Task) error { return x.Complete(later) })
			switch {
			case err == nil:
				won.Add(1)
			case errs.Is(err, errs.Stale):
				stale.Add(1)
			default:
				t.Error(err)
			}
		})
		if won.Load() != 1 || stale.Load() != crowd-1 {
			t.Errorf("%d changed it, %d were stale", won.Load(), stale.Load())
		}
		s.wantWhole(t, contract.Tasks)
	},
	"of a crowd without a version nobody's change is lost": func(t *testing.T, s suite) {
		made := s.made(t, user, titled("0"), start)
		atOnce(func(i int) {
			_, err := s.Change(t.Context(), user, made.ID, 0, func(x *task.Task) error {
				f := x.Fields
				f.Tags = append(append([]string{}, f.Tags...), fmt.Sprintf("%02d", i))
				normal, err := f.Normal()
				if err != nil {
					return err
				}
				return x.Edit(normal, task.This, later)
			})
			if err != nil {
				t.Error(err)
			}
		})
		got, err := s.Get(t.Context(), user, made.ID)
		must(t, err)
		if len(got.Tags) != crowd || got.Version != crowd+1 {
			t.Errorf("it has %d tags and version %d", len(got.Tags), got.Version)
		}
		s.wantWhole(t, contract.Tasks)
	},
	"a user's sequences have no gap when a crowd creates": func(t *testing.T, s suite) {
		s.profile(t, user)
		atOnce(func(i int) {
			for j := range 10 {
				tasks := []task.Task{fresh(t, user, titled("x"), start)}
				if j%2 == 0 {
					tasks = append(tasks, fresh(t, user, task.Fields{Title: "y", Due: task.Due{Date: "2026-12-01"}}, start))
				}
				if err := s.Create(t.Context(), user, task.Idempotency{}, tasks...); err != nil {
					t.Error(err)
				}
			}
		})
		if n := s.wantWhole(t, contract.Tasks); n != crowd*15 {
			t.Errorf("there are %d events", n)
		}
	},
	"who reads the log never meets a gap that is filled later": func(t *testing.T, s suite) {
		s.profile(t, user)
		ctx, stop := context.WithCancel(t.Context())
		var readers sync.WaitGroup
		for range 4 {
			readers.Go(func() {
				seen := int64(0)
				for ctx.Err() == nil {
					events, _, err := s.Events(t.Context(), task.EventQuery{UserID: user, Topic: contract.Tasks, Since: seen, Limit: 100})
					if err != nil {
						t.Error(err)
						return
					}
					for _, e := range events {
						if e.Sequence != seen+1 {
							t.Errorf("after %d came %d", seen, e.Sequence)
							return
						}
						seen = e.Sequence
					}
				}
			})
		}
		atOnce(func(int) {
			for range 10 {
				if err := s.Create(t.Context(), user, task.Idempotency{}, fresh(t, user, titled("x"), start)); err != nil {
					t.Error(err)
				}
			}
		})
		stop()
		readers.Wait()
	},
	"a crowd with the same idempotency key makes one task": func(t *testing.T, s suite) {
		s.profile(t, user)
		var won atomic.Int32
		atOnce(func(i int) {
			once := task.Idempotency{Key: "k", Hash: "h", Answer: []byte("a")}
			err := s.Create(t.Context(), user, once, fresh(t, user, titled("x"), start))
			switch {
			case err == nil:
				won.Add(1)
			case !errs.Is(err, errs.Conflict):
				t.Error(err)
			default:
				if _, err := s.Recall(t.Context(), user, "k"); err != nil {
					t.Error("the key is taken but cannot be recalled:", err)
				}
			}
		})
		if n := s.wantWhole(t, contract.Tasks); won.Load() != 1 || n != 1 {
			t.Errorf("%d made it, there are %d events", won.Load(), n)
		}
	},
	"a crowd makes one profile": func(t *testing.T, s suite) {
		atOnce(func(int) {
			if _, err := s.EnsureProfile(t.Context(), user, "UTC", start); err != nil {
				t.Error(err)
			}
		})
		if n := s.wantWhole(t, contract.Users); n != 1 {
			t.Errorf("there are %d events", n)
		}
	},
	"everything at once neither deadlocks nor leaves a gap": func(t *testing.T, s suite) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		s.profile(t, user)
		var tasks []task.Task
		for i := range 8 {
			f := titled("x")
			if i%2 == 0 {
				f.Due = task.Due{Date: "2026-12-01"}
			}
			tasks = append(tasks, s.made(t, user, f, start))
		}
		zones := []string{"Asia/Tokyo", "Europe/Oslo", "UTC"}
		atOnce(func(i int) {
			for j := range 10 {
				made := tasks[(i+j)%len(tasks)]
				var err error
				switch (i + j) % 7 {
				case 0:
					_, err = s.ChangeProfile(ctx, user, 0, func(p *task.Profile) error { return p.SetTimeZone(zones[(i+j)%3], later) })
				case 1:
					_, err = s.Purge(ctx, later.Add(time.Hour), later, 3)
				case 2:
					_, err = s.Change(ctx, user, made.ID, 0, func(x *task.Task) error { return x.Delete(later) })
				case 3:
					once := task.Idempotency{Key: fmt.Sprint(i, j), Hash: "h", Answer: []byte("a")}
					f := task.Fields{Title: "day", Due: task.Due{Date: "2026-12-02"}}
					err = s.Create(ctx, user, once, fresh(t, user, f, start), fresh(t, user, titled("y"), start))
				case 4, 5:
					f := made.Fields
					f.Due = task.Due{Date: fmt.Sprintf("2026-12-%02d", 1+j)}
					_, err = s.Change(ctx, user, made.ID, 0, func(x *task.Task) error { return x.Edit(f, task.This, later) })
				default:
					err = s.Create(ctx, user, task.Idempotency{}, fresh(t, user, titled("z"), start))
				}
				// A task may be in the trash or purged by then.
				if err != nil && !errs.Is(err, errs.NotFound) && !errs.Is(err, errs.Conflict) {
					t.Error(err)
				}
			}
		})
		s.wantWhole(t, contract.Tasks)
		s.wantWhole(t, contract.Users)
		zone := location(t, s.current(t, user).TimeZone)
		for _, x := range s.pages(t, user, task.Query{Limit: 50}) {
			if x.Due.Date == "" {
				continue
			}
			end := x.Due.Deadline(zone)
			found := ids(s.list(t, task.Query{DueAfter: end, DueBefore: end.Add(time.Millisecond)}))
			if len(found) == 0 {
				t.Errorf("no task ends with %s in %s", x.Due.Date, zone)
			}
		}
	},
	"forgetting a user while a crowd writes neither deadlocks nor leaves anything": func(t *testing.T, s suite) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		atOnce(func(i int) {
			for j := range 10 {
				var err error
				switch (i + j) % 5 {
				case 0:
					err = s.Forget(ctx, user, later)
				case 1:
					_, err = s.EnsureProfile(ctx, user, "UTC", start)
				case 2:
					once := task.Idempotency{Key: strconv.Itoa(j), Hash: "h", Answer: []byte("a")}
					err = s.Create(ctx, user, once, fresh(t, user, task.Fields{Title: "d", Due: task.Due{Date: "2026-12-02"}}, start))
				case 3:
					_, err = s.ChangeProfile(ctx, user, 0, func(p *task.Profile) error { return p.SetTimeZone("Asia/Tokyo", later) })
				default:
					err = s.Create(ctx, user, task.Idempotency{}, fresh(t, user, titled("z"), start))
				}
				if err != nil && !errs.Is(err, errs.NotFound) && !errs.Is(err, errs.Conflict) {
					t.Error(err)
				}
			}
		})
		if err := s.Forget(ctx, user, later); err != nil && !errs.Is(err, errs.NotFound) {
			t.Fatal(err)
		}
		wantEqual(t, "events left", types(s.events(t, user, contract.Users)), []string{contract.UserDeleted.Name})
		if n := len(s.events(t, user, contract.Tasks)); n != 0 {
			t.Errorf("%d events are left", n)
		}
	},
}

// current is the profile as it is now, which EnsureProfile need not be.
func (s suite) current(t *testing.T, userID string) task.Profile {
	t.Helper()
	p, err := s.ChangeProfile(t.Context(), userID, 0, func(*task.Profile) error { return nil })
	must(t, err)
	return p
}
