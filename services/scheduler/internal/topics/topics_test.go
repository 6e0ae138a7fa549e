package topics_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/event"
	"github.com/taskflow-suite/taskflow/pkg/task"
	"github.com/taskflow-suite/taskflow/pkg/testkit"
	"github.com/taskflow-suite/taskflow/proto"
)

// busy gives a user events of each kind on Tuesday at 8:45: a series that was due at 8:30, its Monday done since and never
// reminded of, another reminder, and another series' Monday skipped. Nothing of it has been handled.
func (w *world) busy(user string) []delivery {
	w.t.Helper()
	tuesday := monday.AddDate(0, 0, 1)
	milk := w.create(user, daily("Buy milk", monday.Add(time.Hour), 30))
	weekly := daily("Call mum", monday.Add(2*time.Hour))
	weekly.Recurrence.Rule = "FREQ=WEEKLY"
	call := w.create(user, weekly)
	w.create(user, task.Fields{Title: "Tea", RemindAt: []time.Time{tuesday.Add(44 * time.Minute)}})
	w.at(tuesday.Add(44*time.Minute + 30*time.Second))
	w.announce()
	w.at(tuesday.Add(45 * time.Minute))
	_, err := w.tasks.SetCompleted(w.t.Context(), user, milk.ID, 0, true)
	w.must(err)
	_, err = w.tasks.Skip(w.t.Context(), user, call.ID, 0)
	w.must(err)
	return w.triggers(user)
}

// busied is what becomes of a busy user.
func (w *world) busied(user string) {
	w.t.Helper()
	// Monday's milk and call, Tuesday's milk, and the call of the next Monday.
	if got, want := w.occurrences(user), []string{"Mon 09:00", "Mon 10:00", "Tue 09:00", "Mon 10:00"}; !slices.Equal(got, want) {
		w.t.Errorf("%s has %v, want %v", user, got, want)
	}
	if fired := w.log(user, proto.Tasks, proto.ReminderFired.Name); len(fired) != 1 { // of tea: Monday's milk is done
		w.t.Errorf("%s was reminded %d times", user, len(fired))
	}
}

func TestEventsThatComeAgainAndInAnyOrderHaveOneEffect(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const users = 12
	for i := range users {
		user := fmt.Sprint("user", i)
		w.at(monday)
		events := w.busy(user)
		if len(events) < 4 {
			t.Fatalf("there are %d events: %v", len(events), events)
		}
		events = slices.Concat(events, events)
		random := rand.New(rand.NewPCG(uint64(i), 0))
		random.Shuffle(len(events), func(a, b int) { events[a], events[b] = events[b], events[a] })
		for _, d := range events {
			if err := d.to(t.Context(), w.router); err != nil {
				t.Errorf("%s: %v", d.Type, err)
			}
		}
		w.busied(user)
	}
	for name, want := range map[string]float64{
		"taskflow_scheduler_spawned_total": 2 * users, "taskflow_scheduler_reminders_total": users,
		"taskflow_scheduler_duplicates_prevented_total": 0,
		// Tuesday's milk was due by the clock, the call was not.
		"taskflow_scheduler_lateness_seconds": 2 * users,
	} {
		if got := value(t, w.metrics, name); got != want {
			t.Errorf("%s is %v, want %v", name, got, want)
		}
	}
}

func TestReplicasThatHandleTheSameEventsAtOnceHaveOneEffect(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	second, of := w.replica()
	events := w.busy("ann")
	var all sync.WaitGroup
	for _, r := range []*event.Router{w.router, second, w.router, second} {
		for _, d := range events {
			all.Go(func() {
				if err := deliver(t.Context(), d, r); err != nil {
					t.Errorf("%s: %v", d.Type, err)
				}
			})
		}
	}
	all.Wait()
	w.busied("ann")
	for name, want := range map[string]float64{"taskflow_scheduler_spawned_total": 2, "taskflow_scheduler_reminders_total": 1} {
		if got := value(t, w.metrics, name) + value(t, of, name); got != want {
			t.Errorf("%s is %v, want %v", name, got, want)
		}
	}
}

// deliver delivers again what is to be tried again, as the sidecar does.
func deliver(ctx context.Context, d delivery, r *event.Router) error {
	for {
		err := d.to(ctx, r)
		if event.VerdictOf(err) != event.Retry || ctx.Err() != nil {
			return err
		}
		if !errs.Is(err, errs.Unavailable) {
			return err
		}
	}
}

func TestWhatIsCutOffIsTriedAgainAndDoneOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	events := w.busy("ann")
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for _, d := range events {
		if err := d.to(ended, w.router); !errs.Is(err, errs.Unavailable) {
			t.Errorf("%s: %v", d.Type, err)
		}
	}
	// The server goes away again and again while they are handled.
	var all sync.WaitGroup
	handled := make(chan struct{})
	all.Go(func() {
		for {
			select {
			case <-handled:
				return
			default:
				testkit.Disconnect(t, w.url)
			}
		}
	})
	for range 5 {
		for _, d := range events {
			if err := deliver(t.Context(), d, w.router); err != nil {
				t.Errorf("%s: %v", d.Type, err)
			}
		}
	}
	close(handled)
	all.Wait()
	w.reconnect()
	w.busied("ann")
}

func TestNothingIsDoneForAUserWhoIsGone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, err := w.tasks.SetTimeZone(t.Context(), "ann", 0, "Asia/Tokyo")
	w.must(err)
	_, err = w.tasks.SetTimeZone(t.Context(), "ann", 0, "UTC")
	w.must(err)
	events := w.busy("ann")
	w.must(w.tasks.Forget(t.Context(), "ann"))
	for _, d := range events {
		if err := d.to(t.Context(), w.router); err != nil {
			t.Errorf("%s: %v", d.Type, err)
		}
	}
	_, err = w.agenda.ChangeProfile(t.Context(), "ann", 0, func(*task.Profile) error { return errors.New("it is there") })
	if !errs.Is(err, errs.NotFound) {
		t.Errorf("the user is back: %v", err)
	}
}

func TestWhatIsMadeBelongsToTheWorkOfItsCause(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	events := w.busy("ann")
	before := map[string]bool{}
	made := []string{proto.TaskCreated.Name, proto.ReminderFired.Name}
	for _, e := range w.log("ann", proto.Tasks, made...) {
		before[e.ID] = true
	}
	caused := map[string]string{} // the correlation of what an event causes, by its id
	for _, d := range events {
		w.must(d.to(t.Context(), w.router))
		if caused[d.ID] = d.CorrelationID; d.CorrelationID == "" {
			caused[d.ID] = d.ID
		}
	}
	n := 0
	for _, e := range w.log("ann", proto.Tasks, made...) {
		if before[e.ID] {
			continue
		}
		n++
		if want, known := caused[e.CausationID]; !known || e.CorrelationID != want {
			t.Errorf("%s has the cause %q and belongs to %q, want %q", e.Type, e.CausationID, e.CorrelationID, want)
		}
	}
	if n != 3 {
		t.Errorf("%d events were caused", n)
	}
}

func TestWhatIsToComeMovesWithItsOwner(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.create("ann", daily("Buy milk", monday.Add(time.Hour)))
	if got := w.next(); got != "Tue 09:00" {
		t.Fatalf("due next is %s", got)
	}
	// So soon after each other that whoever remembers where the user was is wrong.
	for _, c := range []struct{ zone, next string }{
		{"America/New_York", "Tue 14:00"}, {"Asia/Tokyo", "Tue 00:00"}, {"Europe/Oslo", "Tue 08:00"}, {"UTC", "Tue 09:00"},
	} {
		_, err := w.tasks.SetTimeZone(t.Context(), "ann", 0, c.zone)
		w.must(err)
		events := w.triggers("ann")
		last := slices.MaxFunc(events, func(a, b delivery) int { return int(a.Sequence - b.Sequence) })
		w.must(last.to(t.Context(), w.router))
		if got := w.next(); got != c.next {
			t.Errorf("in %s due next is %s, want %s", c.zone, got, c.next)
		}
	}
	w.handle("ann") // all again
	if got := w.next(); got != "Tue 09:00" {
		t.Errorf("in the end due next is %s", got)
	}
}

func TestWhatCannotBeUnderstoodIsDropped(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.create("ann", task.Fields{Title: "Tea"})
	const id = `"0193b3e2-1111-7000-8000-000000000000"`
	for name, c := range map[string]struct {
		topic  proto.Topic
		data   string
		says   errs.Kind
		passed bool
	}{
		"no JSON":                                {proto.Scheduling, `{`, errs.Invalid, false},
		"no event":                               {proto.Scheduling, `{}`, errs.Invalid, false},
		"a series without an id":                 {proto.Scheduling, envelope("recurrence.due", id, `{}`), errs.Invalid, false},
		"a series whose id is none":              {proto.Scheduling, envelope("recurrence.due", id, `{"series_id":"milk"}`), errs.Invalid, false},
		"a reminder without an id":               {proto.Scheduling, envelope("reminder.due", id, `{}`), errs.Invalid, false},
		"data of another type":                   {proto.Scheduling, envelope("recurrence.due", id, `{"series_id":7}`), errs.Invalid, false},
		"an event whose id is none":              {proto.Scheduling, envelope("recurrence.due", `"7"`, `{"series_id":`+id+`}`), errs.Invalid, false},
		"an event of another topic":              {proto.Tasks, envelope("recurrence.due", id, `{"series_id":`+id+`}`), errs.Invalid, false},
		"done, of a series whose id is none":     {proto.Tasks, envelope("task.completed", id, `{"series_id":"milk","completed_at":"2026-11-23T09:00:00Z"}`), errs.Invalid, false},
		"done, but not when":                     {proto.Tasks, envelope("task.completed", id, `{"series_id":`+id+`}`), errs.Invalid, false},
		"skipped in a year that cannot be":       {proto.Tasks, envelope("task.skipped", id, `{"series_id":`+id+`,"skipped_at":"x"}`), errs.Invalid, false},
		"changed settings that are none":         {proto.Users, envelope("user.updated", id, `{"changed":7}`), errs.Invalid, false},
		"done, of no series":                     {proto.Tasks, envelope("task.completed", id, `{"completed_at":"2026-11-23T09:00:00Z"}`), 0, true},
		"a type of a newer publisher":            {proto.Scheduling, envelope("weather.due", id, `{}`), 0, true},
		"a series that is not there":             {proto.Scheduling, envelope("recurrence.due", `"0193b3e2-1111-7000-8000-000000000001"`, `{"series_id":`+id+`}`), 0, true},
		"a reminder that is not there":           {proto.Scheduling, envelope("reminder.due", `"0193b3e2-1111-7000-8000-000000000002"`, `{"reminder_id":`+id+`}`), 0, true},
		"changed settings that are not the zone": {proto.Users, envelope("user.updated", id, `{"changed":["colour"],"time_zone":"Asia/Tokyo"}`), 0, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := w.router.Deliver(t.Context(), c.topic, []byte(c.data))
			if c.passed != (err == nil) || err != nil && (!errs.Is(err, c.says) || event.VerdictOf(err) != event.Drop) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func envelope(kind, id, data string) string {
	return fmt.Sprintf(`{"event_id":%s,"event_type":%q,"user_id":"ann","timestamp":"2026-11-23T09:00:00.000Z","aggregate_id":"a",`+
		`"version":1,"sequence":1,"data":%s}`, id, kind, data)
}

func TestRemindersThatComeLateSaySo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.create("ann", task.Fields{Title: "Tea", RemindAt: []time.Time{monday.Add(time.Minute), monday.Add(time.Hour)}})
	w.at(monday.Add(time.Hour))
	w.announce()
	w.handle("ann")
	if got := reminders(t, w.metrics); got["true"] != 1 || got["false"] != 1 {
		t.Errorf("late are %v", got)
	}
}

// reminders counts those fired, by whether they were late.
func reminders(t *testing.T, metrics prometheus.Gatherer) map[string]float64 {
	t.Helper()
	families, err := metrics.Gather()
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]float64{}
	for _, f := range families {
		if f.GetName() == "taskflow_scheduler_reminders_total" {
			for _, m := range f.GetMetric() {
				all[m.GetLabel()[0].GetValue()] = m.GetCounter().GetValue()
			}
		}
	}
	return all
}

// The contract says which topics this service may subscribe to; the Dapr files' scopes follow it.
func TestItSubscribesToWhatTheContractGivesIt(t *testing.T) {
	t.Parallel()
	router := newWorld(t).router
	var given []proto.Topic
	for _, s := range proto.Topics() {
		if slices.Contains(s.Subscribers, proto.Scheduler) {
			given = append(given, s.Name)
		}
	}
	if got := router.Topics(); !slices.Equal(slices.Sorted(slices.Values(got)), slices.Sorted(slices.Values(given))) {
		t.Errorf("it subscribes to %v, the contract gives it %v", got, given)
	}
}
