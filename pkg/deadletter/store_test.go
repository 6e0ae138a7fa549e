package deadletter_test

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/taskflow-suite/taskflow/pkg/deadletter"
	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/event"
	"github.com/taskflow-suite/taskflow/pkg/sidecar"
	"github.com/taskflow-suite/taskflow/proto"
)

func (w *world) retry(f deadletter.Filter, dryRun bool) deadletter.Sent {
	w.t.Helper()
	sent, err := w.store.Retry(w.t.Context(), f, dryRun, func(int) {})
	must(w.t, err)
	return sent
}

func TestLettersAreSelectedByWhatIsKnownOfThem(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	ada, bob := w.happened("ada", 1)[0], w.happened("bob", 1)[0]
	w.dies(ada, "0/1")
	between := time.Now()
	w.fails(delivery(t, bob), sidecar.Failure{Kind: sidecar.KindTimeout, Reason: "100% too SLOW"})
	for name, c := range map[string]struct {
		filter deadletter.Filter
		want   []string
	}{
		"all":                    {deadletter.Filter{}, []string{bob.ID, ada.ID}},
		"an id":                  {deadletter.Filter{IDs: []string{ada.ID}}, []string{ada.ID}},
		"a consumer":             {deadletter.Filter{Consumer: proto.Scheduler}, []string{bob.ID, ada.ID}},
		"another consumer":       {deadletter.Filter{Consumer: proto.MCPTools}, nil},
		"a topic":                {deadletter.Filter{Topic: proto.Users}, nil},
		"a part of the reason":   {deadletter.Filter{Reason: "0% TOO s"}, []string{bob.ID}},
		"no pattern":             {deadletter.Filter{Reason: "%slow"}, nil},
		"a kind":                 {deadletter.Filter{Kind: "timeout"}, []string{bob.ID}},
		"a user":                 {deadletter.Filter{UserID: "ada"}, []string{ada.ID}},
		"a correlation id":       {deadletter.Filter{CorrelationID: bob.CorrelationID, UserID: "bob"}, []string{bob.ID}},
		"a state":                {deadletter.Filter{States: []deadletter.State{deadletter.Dead}}, []string{ada.ID}},
		"since":                  {deadletter.Filter{Since: between}, []string{bob.ID}},
		"until":                  {deadletter.Filter{Until: between}, []string{ada.ID}},
		"what contradicts":       {deadletter.Filter{Until: between, UserID: "bob"}, nil},
		"several states at once": {deadletter.Filter{States: deadletter.States()}, []string{bob.ID, ada.ID}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got []string
			for _, l := range w.list(c.filter) {
				got = append(got, l.ID)
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("selected %v, want %v", got, c.want)
			}
			if name == "all" != c.filter.Empty() {
				t.Errorf("empty is %t", c.filter.Empty())
			}
		})
	}
}

func TestAListIsBoundedAndSaysSo(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	for i, e := range w.happened("ada", 3) {
		w.dies(e, fmt.Sprint("0/", i))
	}
	if some, more, err := w.store.List(t.Context(), deadletter.Filter{}, 2); err != nil || len(some) != 2 || !more {
		t.Errorf("%d, more is %t, %v", len(some), more, err)
	}
	if all, more, err := w.store.List(t.Context(), deadletter.Filter{}, 3); err != nil || len(all) != 3 || more {
		t.Errorf("%d, more is %t, %v", len(all), more, err)
	}
}

func TestWhatIsNoIDOrNotThereIsSaid(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	if _, err := w.store.Named(t.Context(), "'"); !errs.Is(err, errs.Invalid) {
		t.Errorf("says %v", err)
	}
	if _, err := w.store.Named(t.Context(), event.NewID()); !errs.Is(err, errs.NotFound) {
		t.Errorf("says %v", err)
	}
	many := deadletter.Filter{IDs: make([]string, deadletter.MaxList+1)}
	if _, err := w.store.Retry(t.Context(), many, false, func(int) {}); !errs.Is(err, errs.Invalid) {
		t.Errorf("says %v", err)
	}
}

func TestWhatIsSentAgainHasItsIDAndItsUsersOrderAndIsHandledOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	events := w.happened("ada", 700) // more than one portion
	for i := len(events) - 1; i >= 0; i-- {
		w.dies(events[i], fmt.Sprint("0/", i))
	}
	w.outbox()
	if sent := w.retry(deadletter.Filter{}, true); sent != (deadletter.Sent{Letters: 700, Events: 700}) || len(w.outbox()) != 0 {
		t.Errorf("only counting says %+v", sent)
	}
	if sent := w.retry(deadletter.Filter{}, false); sent != (deadletter.Sent{Letters: 700, Events: 700}) {
		t.Errorf("says %+v", sent)
	}
	got := w.outbox()
	if !slices.EqualFunc(got, events, func(id string, e event.Envelope) bool { return id == e.ID }) {
		t.Errorf("the outbox has %d events, of 700, or in another order", len(got))
	}
	if l := w.list(deadletter.Filter{IDs: []string{events[0].ID}})[0]; l.State != deadletter.Retried || l.RetriedAt == nil {
		t.Errorf("the letter is %+v", l)
	}
	if sent := w.retry(deadletter.Filter{}, false); sent != (deadletter.Sent{}) {
		t.Errorf("the second time it says %+v", sent)
	}
	// By its id one can be sent once more; the consumer acts on it once.
	if sent := w.retry(deadletter.Filter{IDs: []string{events[0].ID}}, false); sent.Letters != 1 || len(w.outbox()) != 1 {
		t.Errorf("by its id it says %+v", sent)
	}
	if !w.handled(events[0]) || w.handled(events[0]) {
		t.Error("it was not handled once")
	}
	if sent := w.retry(deadletter.Filter{IDs: []string{events[0].ID}}, false); sent != (deadletter.Sent{Left: 1}) || len(w.outbox()) != 0 {
		t.Errorf("when it was handled it says %+v", sent)
	}
	// What dies once more is a dead letter once more.
	w.dies(events[1], "0/10000")
	if l := w.list(deadletter.Filter{IDs: []string{events[1].ID}})[0]; l.State != deadletter.Dead || l.Attempts != 2 || l.Deaths != 2 {
		t.Errorf("the letter is %+v", l)
	}
}

func TestOfSeveralWhoSendTheSameAgainOneDoes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	for i, e := range w.happened("ada", 50) {
		w.dies(e, fmt.Sprint("0/", i))
	}
	w.outbox()
	var letters atomic.Int64
	var people sync.WaitGroup
	for range 4 {
		people.Go(func() { letters.Add(int64(w.retry(deadletter.Filter{}, false).Letters)) })
	}
	people.Wait()
	if n := len(w.outbox()); letters.Load() != 50 || n != 50 {
		t.Errorf("%d letters were sent, %d events wait", letters.Load(), n)
	}
}

func TestAnEventThatTwoConsumersCouldNotHandleIsSentOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	e := w.happened("ada", 1)[0]
	w.dies(e, "0/1")
	must(t, w.db.Read(t.Context()).Exec(`INSERT INTO dead_letters SELECT 'mcp-tools', topic, id, event_id, user_id, event_type, correlation_id,
		reason, kind, attempts, first_seen, last_seen, died_at, deaths, place FROM dead_letters`).Error)
	w.outbox()
	if sent := w.retry(deadletter.Filter{}, false); sent != (deadletter.Sent{Letters: 2, Events: 1}) || len(w.outbox()) != 1 {
		t.Errorf("says %+v", sent)
	}
	if named, err := w.store.Named(t.Context(), e.ID); err != nil || len(named) != 2 {
		t.Errorf("%d letters of the id, %v", len(named), err)
	}
}

func TestWhatTheLogDoesNotHaveCannotBeSent(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	forged := w.happened("ada", 1)[0]
	w.outbox()
	forged.UserID = "eve" // with the id of somebody else's event
	w.dies(forged, "0/1")
	w.handled(forged)
	w.comes(proto.Tasks, "eve", "0/2", []byte("no JSON"))
	w.comes(proto.MCPRequests, "eve", "0/3", []byte(`{"id":"1","data":{}}`))
	for _, l := range w.list(deadletter.Filter{}) {
		if l.State != deadletter.Dead || l.CannotRetry() == "" {
			t.Errorf("the letter is %+v", l)
		}
	}
	for _, dryRun := range []bool{true, false} {
		if sent := w.retry(deadletter.Filter{}, dryRun); sent != (deadletter.Sent{Left: 3}) || len(w.outbox()) != 0 {
			t.Errorf("says %+v", sent)
		}
	}
}

func TestWhatIsSetAsideIsNoLongerADeadLetterAndItsRecordIsForgotten(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.comes(proto.Tasks, "ada", "0/1", []byte("no JSON"))
	if n, err := w.store.Discard(t.Context(), deadletter.Filter{UserID: "ada"}, true); n != 1 || err != nil || w.only().State != deadletter.Dead {
		t.Errorf("only counting, %d, %v, and the letter is %+v", n, err, w.only())
	}
	if n, err := w.store.Discard(t.Context(), deadletter.Filter{UserID: "ada"}, false); n != 1 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	if l := w.only(); l.State != deadletter.Discarded || l.DiscardedAt == nil || l.Record != nil {
		t.Errorf("the letter is %+v", l)
	}
	if n, err := w.store.Discard(t.Context(), deadletter.Filter{UserID: "ada"}, false); n != 0 || err != nil {
		t.Errorf("the second time %d, %v", n, err)
	}
}
