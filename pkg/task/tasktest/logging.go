package tasktest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/event"
	"github.com/taskflow-suite/taskflow/pkg/task"
	contract "github.com/taskflow-suite/taskflow/proto"
)

var logging = map[string]func(*testing.T, suite){
	"the log is read from any sequence on": func(t *testing.T, s suite) {
		ask := func(q task.EventQuery) ([]event.Envelope, int64) {
			t.Helper()
			q.UserID, q.Topic = user, contract.Tasks
			events, head, err := s.Events(t.Context(), q)
			must(t, err)
			return events, head
		}
		if events, head := ask(task.EventQuery{Limit: 10}); len(events) != 0 || head != 0 {
			t.Errorf("before the first event: %d events, head %d", len(events), head)
		}
		a, b := s.made(t, user, titled("a"), start), s.made(t, user, titled("b"), start)
		for range 3 {
			a = s.change(t, a, func(x *task.Task) error { return x.Delete(later) })
			a = s.change(t, a, func(x *task.Task) error { return x.Restore(later) })
		}
		s.made(t, "eve", titled("hers"), start)
		for since := range int64(10) {
			events, head := ask(task.EventQuery{Since: since, Limit: 3})
			if want := min(3, max(0, 8-since)); int64(len(events)) != want || head != 8 {
				t.Errorf("since %d: %d events, head %d; want %d and 8", since, len(events), head, want)
			}
			for i, e := range events {
				if e.Sequence != since+int64(i)+1 || e.UserID != user {
					t.Errorf("since %d, event %d is %s's with sequence %d", since, i, e.UserID, e.Sequence)
				}
			}
		}
		events, head := ask(task.EventQuery{AggregateID: b.ID, Limit: 10})
		if len(events) != 1 || events[0].AggregateID != b.ID || head != 8 {
			t.Errorf("one task's events: %d, head %d", len(events), head)
		}
		events, _ = ask(task.EventQuery{AggregateID: a.ID, Since: 4, Limit: 2})
		if len(events) != 2 || events[0].Sequence != 5 || events[1].Version != 5 {
			t.Errorf("one task's later events: %+v", events)
		}
		for what, q := range map[string]task.EventQuery{
			"limit 0": {}, "limit 1001": {Limit: 1001}, "a task's id with a NUL": {Limit: 1, AggregateID: "\x00"},
		} {
			_, _, err := s.Events(t.Context(), q)
			wantKind(t, what, err, errs.Invalid)
		}
	},
	"the log is read backwards from any sequence on": func(t *testing.T, s suite) {
		ask := func(q task.EventQuery) []int64 {
			t.Helper()
			q.UserID, q.Topic, q.Newest = user, contract.Tasks, true
			events, head, err := s.Events(t.Context(), q)
			must(t, err)
			sequences := []int64{}
			for _, e := range events {
				sequences = append(sequences, e.Sequence)
				if e.UserID != user || head < e.Sequence {
					t.Errorf("%+v: an event of %s with sequence %d, head %d", q, e.UserID, e.Sequence, head)
				}
			}
			return sequences
		}
		if got := ask(task.EventQuery{Limit: 10}); len(got) != 0 {
			t.Errorf("before the first event: %v", got)
		}
		a := s.made(t, user, titled("a"), start)
		s.made(t, user, titled("b"), start)
		a = s.change(t, a, func(x *task.Task) error { return x.Delete(later) })
		s.made(t, "eve", titled("hers"), start)
		s.made(t, user, titled("c"), start)
		s.change(t, a, func(x *task.Task) error { return x.Restore(later) })
		for _, c := range []struct {
			q    task.EventQuery
			want []int64
		}{
			{task.EventQuery{Limit: 10}, []int64{5, 4, 3, 2, 1}},
			{task.EventQuery{Limit: 2}, []int64{5, 4}},
			{task.EventQuery{Before: 4, Limit: 2}, []int64{3, 2}},
			{task.EventQuery{Before: 2, Limit: 2}, []int64{1}},
			{task.EventQuery{Before: 1, Limit: 2}, []int64{}},
			{task.EventQuery{Before: 4, Since: 3, Limit: 2}, []int64{3, 2}},
			{task.EventQuery{AggregateID: a.ID, Limit: 10}, []int64{5, 3, 1}},
			{task.EventQuery{AggregateID: a.ID, Before: 5, Limit: 1}, []int64{3}},
			{task.EventQuery{AggregateID: a.ID, Before: 3, Limit: 10}, []int64{1}},
		} {
			if got := ask(c.q); !slices.Equal(got, c.want) {
				t.Errorf("%+v: %v, want %v", c.q, got, c.want)
			}
		}
	},
	"an event says who, what, when and in which order": func(t *testing.T, s suite) {
		made := s.made(t, user, full("x"), start)
		e := s.events(t, user, contract.Tasks)[0]
		if e.ID == "" || e.UserID != user || e.AggregateID != made.ID || !e.Timestamp.Equal(start) || e.Version != 1 || e.Sequence != 1 {
			t.Errorf("the event is %+v", e)
		}
		payload := contract.TaskCreated.Kind().New()
		must(t, event.Unmarshal(e.Data, payload))
	},
	"replaying all events gives every task as it is stored": func(t *testing.T, s suite) {
		for seed := range uint64(4) {
			who := fmt.Sprintf("user %d", seed)
			s.wander(t, who, rand.New(rand.NewPCG(seed, 7))) //nolint:gosec // G404: the same every time
			replayed, series := replay(t, s.events(t, who, contract.Tasks))
			stored := slices.Concat(s.pages(t, who, task.Query{Limit: 50}), s.pages(t, who, task.Query{Limit: 50, Deleted: true}))
			if len(stored) != len(replayed) || len(stored) == 0 {
				t.Errorf("%d tasks are stored, %d replayed", len(stored), len(replayed))
			}
			for _, x := range stored {
				if replayed[x.ID] == nil {
					t.Errorf("no event of task %s", x.ID)
					continue
				}
				same(t, "replayed", *replayed[x.ID], x)
			}
			if len(series) == 0 {
				t.Error("nothing repeats")
			}
			for id, want := range series {
				sameSeries(t, "replayed", *want, s.series(t, who, id))
			}
		}
	},
}

// wander makes and changes tasks at random, some of them into states that refuse it.
func (s suite) wander(t *testing.T, who string, random *rand.Rand) {
	t.Helper()
	var all []string
	now := start
	fields := func() task.Fields {
		f := full(fmt.Sprintf("title %d", random.IntN(3)))
		if random.IntN(2) == 0 {
			f.Due = task.Due{Date: start.AddDate(0, 0, random.IntN(4)).Format(time.DateOnly)}
		}
		if random.IntN(3) == 0 {
			f.Due, f.Reminders = task.Due{}, nil
		}
		if f.Recurrence.Anchor = task.OnSchedule; random.IntN(3) == 0 {
			f.Recurrence = nil
		}
		if random.IntN(2) == 0 {
			f.Tags = nil
		}
		f.Priority = task.Priorities()[random.IntN(5)]
		normal, err := f.Normal()
		must(t, err)
		return normal
	}
	for range 120 {
		now = now.Add(time.Duration(random.IntN(3_600_000)) * time.Millisecond)
		if len(all) == 0 || random.IntN(6) == 0 {
			all = append(all, s.made(t, who, fields(), now).ID)
			continue
		}
		if random.IntN(25) == 0 {
			_, err := s.Purge(t.Context(), now.Add(-time.Hour), now, 2)
			must(t, err)
			continue
		}
		if random.IntN(8) == 0 {
			if x, err := s.Get(t.Context(), who, all[random.IntN(len(all))]); err == nil && !x.Occurrence.IsZero() {
				_, err := task.NewService(s.Store, func() time.Time { return now }).Spawn(t.Context(), who, x.Occurrence.SeriesID, task.Cause{Closed: x.ID, ClosedAt: now})
				must(t, err)
			}
			continue
		}
		scope := []task.Scope{task.This, task.Following}[random.IntN(2)]
		_, err := s.Change(t.Context(), who, all[random.IntN(len(all))], 0, func(x *task.Task) error {
			switch random.IntN(7) {
			case 0:
				return x.Complete(now)
			case 1:
				return x.Reopen(now)
			case 2:
				return x.Delete(now)
			case 3:
				return x.Restore(now)
			case 4:
				return x.Skip(now)
			default:
				return x.Edit(fields(), scope, now)
			}
		})
		if err != nil && !errs.Is(err, errs.Conflict) && !errs.Is(err, errs.NotFound) {
			t.Fatal(err)
		}
	}
}

// replay builds tasks and series from events alone.
func replay(t *testing.T, events []event.Envelope) (map[string]*task.Task, map[string]*task.Series) {
	t.Helper()
	kinds := map[string]func() proto.Message{}
	for _, k := range contract.Events() {
		kinds[k.Name] = k.New
	}
	tasks, series := map[string]*task.Task{}, map[string]*task.Series{}
	for _, e := range events {
		payload := kinds[e.Type]()
		must(t, event.Unmarshal(e.Data, payload))
		var err error
		if strings.HasPrefix(e.Type, "series.") {
			series[e.AggregateID], err = task.ReplaySeries(series[e.AggregateID], e, payload)
			must(t, err)
			continue
		}
		next, err := task.Replay(tasks[e.AggregateID], e, payload)
		must(t, err)
		if tasks[e.AggregateID] = next; next == nil {
			delete(tasks, e.AggregateID)
		}
	}
	return tasks, series
}
