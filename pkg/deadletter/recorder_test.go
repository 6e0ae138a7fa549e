package deadletter_test

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/taskflow-suite/taskflow/pkg/deadletter"
	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/event"
	"github.com/taskflow-suite/taskflow/pkg/postgres"
	"github.com/taskflow-suite/taskflow/pkg/sidecar"
	"github.com/taskflow-suite/taskflow/pkg/testkit"
	"github.com/taskflow-suite/taskflow/proto"
)

func TestAttemptsThatFailedAreKeptWithTheLastReasonAndAreNoDeadLetterYet(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	e := w.happened("ada", 1)[0]
	w.fails(delivery(t, e), sidecar.Failure{Kind: "unavailable", Reason: "not now"})
	first := w.only()
	w.fails(delivery(t, e), sidecar.Failure{Kind: sidecar.KindPanic, Reason: "it panicked"})
	l := w.only()
	if l.ID != e.ID || l.EventID != e.ID || l.UserID != "ada" || l.EventType != e.Type || l.CorrelationID != e.CorrelationID ||
		l.Consumer != proto.Scheduler || l.Topic != proto.Tasks || l.Attempts != 2 || l.Kind != "panic" || l.Reason != "it panicked" ||
		l.State != deadletter.Failing || !l.FirstSeen.Equal(first.FirstSeen) || !l.LastSeen.After(first.LastSeen) || !l.InLog || l.Deaths != 0 {
		t.Errorf("the letter is %+v", l)
	}
	if n := w.counted("taskflow_dead_letters_total", "", ""); n != 0 {
		t.Errorf("%v dead letters are counted", n)
	}
}

func TestADeadLetterHasTheReasonOfItsLastAttempt(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	e := w.happened("ada", 1)[0]
	w.dies(e, "1/7")
	l := w.only()
	if l.State != deadletter.Dead || l.Reason != refused.Reason || l.Kind != refused.Kind || l.Attempts != 1 || l.Deaths != 1 ||
		l.DiedAt == nil || l.Place != "1/7" || l.Record != nil || l.CannotRetry() != "" {
		t.Errorf("the letter is %+v", l)
	}
	if n := w.counted("taskflow_dead_letters_total", "tasks.events", "invalid"); n != 1 {
		t.Errorf("%v are counted", n)
	}
}

func TestANoteThatComesAfterTheDeadLetterCompletesIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	e := w.happened("ada", 1)[0]
	w.comes(proto.Tasks, "ada", "1/7", record(t, e))
	if l := w.only(); l.Kind != deadletter.KindUnknown || l.Reason == "" || l.Attempts != 0 {
		t.Errorf("without a note the letter is %+v", l)
	}
	w.fails(delivery(t, e), refused)
	if l := w.only(); l.State != deadletter.Dead || l.Reason != refused.Reason || l.Attempts != 1 {
		t.Errorf("with the note it is %+v", l)
	}
}

func TestTheSameDeliveryOfADeadLetterIsOneDeathAndAnotherIsAnother(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	e := w.happened("ada", 1)[0]
	w.dies(e, "1/7")
	if n, err := w.store.Discard(t.Context(), deadletter.Filter{IDs: []string{e.ID}}, false); n != 1 || err != nil {
		t.Fatalf("%d discarded, %v", n, err)
	}
	w.comes(proto.Tasks, "ada", "1/7", record(t, e))
	if l := w.only(); l.State != deadletter.Discarded || l.Deaths != 1 {
		t.Errorf("delivered twice, the letter is %+v", l)
	}
	w.comes(proto.Tasks, "ada", "1/8", record(t, e))
	if l := w.only(); l.State != deadletter.Dead || l.Deaths != 2 || l.DiscardedAt != nil {
		t.Errorf("dead once more, the letter is %+v", l)
	}
	if n := w.counted("taskflow_dead_letters_total", "", ""); n != 2 {
		t.Errorf("%v deaths are counted", n)
	}
}

func TestWhateverComesIsRecordedWithWhatCanBeToldOfIt(t *testing.T) {
	t.Parallel()
	cloudEvent := func(data string) []byte {
		return fmt.Appendf(nil, `{"id":"1","source":"x","type":"task.created","datacontenttype":"application/json","data":%s}`, data)
	}
	for name, c := range map[string]struct {
		record []byte
		note   *sidecar.Delivery // an attempt, if the sidecar could read the record
		kind   string
		says   string
	}{
		"no JSON":                {[]byte("no JSON at all"), nil, deadletter.KindUnread, "CloudEvent"},
		"nothing":                {nil, nil, deadletter.KindUnread, "CloudEvent"},
		"null":                   {[]byte("null"), nil, "invalid", "not an event"},
		"a list":                 {[]byte("[1]"), nil, deadletter.KindUnread, "CloudEvent"},
		"bytes Postgres refuses": {[]byte("\x00\xff"), nil, deadletter.KindUnread, "CloudEvent"},
		"no event":               {cloudEvent(`{"private":"text"}`), nil, "invalid", "lacks"},
		"an event without a UUID": {
			cloudEvent(`{"event_id":"1","event_type":"task.created","user_id":"ada","aggregate_id":"a","sequence":1,"version":1}`), nil, "invalid", "UUID",
		},
		"no event, with a note": {
			cloudEvent(`{"x": 1.0}`), &sidecar.Delivery{Topic: proto.Tasks, ID: "1", Source: "x", Type: "task.created", Key: "ada", Data: []byte(`{"x":1}`)},
			"invalid", refused.Reason,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, nil)
			if c.note != nil {
				w.fails(*c.note, refused)
			}
			w.comes(proto.Tasks, "ada", "0/1", c.record)
			l := w.only()
			if l.State != deadletter.Dead || l.EventID != "" || l.UserID != "ada" || l.Kind != c.kind || !strings.Contains(l.Reason, c.says) ||
				!bytes.Equal(l.Record, c.record) || l.Record == nil || l.CannotRetry() == "" || strings.Contains(l.Reason, "private") {
				t.Errorf("the letter is %+v", l)
			}
			if n := w.counted("taskflow_dead_letters_total", "tasks.events", c.kind); n != 1 {
				t.Errorf("%v of the kind are counted", n)
			}
		})
	}
}

func TestARecordIsKeptOnlyIfNobodyElseHasItAndItMayBeKept(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	forged := event.Envelope{
		ID: event.NewID(), Type: proto.TaskCreated.Name, UserID: "eve", AggregateID: "a", Version: 1, Sequence: 1,
		Timestamp: event.Time{Time: time.Now()}, Data: []byte(`{}`),
	}
	forgotten := w.happened("bob", 1)[0]
	must(t, w.db.Transaction(t.Context(), func(tx *postgres.Tx) error { return tx.Erase("bob") }))
	for name, c := range map[string]struct {
		topic  proto.Topic
		user   string
		record []byte
		kept   bool
	}{
		"an event of the log":        {proto.Tasks, "ada", record(t, w.happened("ada", 1)[0]), false},
		"a forged event":             {proto.Tasks, "eve", record(t, forged), true},
		"of a user who is forgotten": {proto.Tasks, "bob", record(t, forgotten), false},
		"the longest":                {proto.Tasks, "fay", bytes.Repeat([]byte("x"), 64<<10), true},
		"too long":                   {proto.Tasks, "gus", bytes.Repeat([]byte("x"), 64<<10+1), false},
		"what people wrote to the agent": {
			proto.MCPRequests, "hal", []byte(`{"id":"9","data":{"user_id":"hal","correlation_id":"c","message":"private"},"datacontenttype":"application/json"}`), false,
		},
	} {
		t.Run(name, func(t *testing.T) {
			before := map[string]bool{}
			for _, l := range w.list(deadletter.Filter{}) {
				before[l.ID] = true
			}
			w.comes(c.topic, c.user, "0/1", c.record)
			all := slices.DeleteFunc(w.list(deadletter.Filter{}), func(l deadletter.Letter) bool { return before[l.ID] })
			if len(all) != 1 {
				t.Fatalf("there are %d", len(all))
			}
			named, err := w.store.Named(t.Context(), all[0].ID)
			must(t, err)
			if forgotten := c.user == "bob"; forgotten == (all[0].UserID == c.user) {
				t.Errorf("the user is %q", all[0].UserID)
			}
			if kept := named[0].Record != nil; kept != c.kept {
				t.Errorf("kept is %t", kept)
			}
			if c.topic == proto.MCPRequests && (all[0].CorrelationID != "c" || !strings.Contains(all[0].CannotRetry(), "expires")) {
				t.Errorf("the letter is %+v, which cannot be sent because %q", all[0], all[0].CannotRetry())
			}
		})
	}
}

func TestWhatIsBeyondTheBoundsIsCountedAndNotKept(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(o *deadletter.Options) { o.Rows, o.Records = 3, 1 })
	stop := testkit.Background(t, w.recorder.Run)
	for i := range 3 {
		w.comes(proto.Tasks, "ada", fmt.Sprint("0/", i), fmt.Append(nil, "no JSON ", i))
		w.open(float64(i + 1))
	}
	stop()
	w.comes(proto.Tasks, "ada", "0/3", []byte("one too many"))
	all, records := w.list(deadletter.Filter{}), 0
	for _, l := range all {
		named, err := w.store.Named(t.Context(), l.ID)
		must(t, err)
		if named[0].Record != nil {
			records++
		}
	}
	if len(all) != 3 || records != 1 {
		t.Errorf("%d letters are kept, %d of them with a record", len(all), records)
	}
	if n := w.counted("taskflow_dead_letters_total", "", deadletter.KindUnread); n != 4 {
		t.Errorf("%v are counted", n)
	}
}

func TestTheGaugeIsOfThoseNeitherHandledNorDiscarded(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	events := w.happened("ada", 3)
	for i, e := range events {
		w.dies(e, fmt.Sprint("0/", i))
	}
	testkit.Background(t, w.recorder.Run)
	w.open(3)
	if _, err := w.store.Discard(t.Context(), deadletter.Filter{IDs: []string{events[0].ID}}, false); err != nil {
		t.Fatal(err)
	}
	w.open(2)
	w.handled(events[1])
	w.open(1)
	// The inbox forgets; the letter does not.
	must(t, w.db.Read(t.Context()).Exec("DELETE FROM inbox").Error)
	if l := w.list(deadletter.Filter{IDs: []string{events[1].ID}})[0]; l.State != deadletter.Handled || l.HandledAt == nil {
		t.Errorf("the letter is %+v", l)
	}
}

func TestOldLettersGo(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	events := w.happened("ada", 4)
	w.fails(delivery(t, events[0]), refused)
	w.fails(delivery(t, events[1]), refused)
	w.dies(events[2], "0/1")
	w.dies(events[3], "0/2")
	for i, age := range map[int]time.Duration{0: 25 * time.Hour, 2: deadletter.Keep - time.Hour, 3: deadletter.Keep + time.Hour} {
		must(t, w.db.Read(t.Context()).Exec("UPDATE dead_letters SET last_seen = ? WHERE id = ?", time.Now().Add(-age), events[i].ID).Error)
	}
	testkit.Background(t, w.recorder.Run)
	testkit.Eventually(t, "the letters", func(context.Context) (bool, any) {
		left := map[string]bool{}
		for _, l := range w.list(deadletter.Filter{}) {
			left[l.ID] = true
		}
		return len(left) == 2 && left[events[1].ID] && left[events[2].ID], left
	})
}

func TestWithoutADatabaseANoteCostsNothingAndADeadLetterIsDeliveredAgain(t *testing.T) {
	t.Parallel()
	gate := testkit.NewGate(t, testkit.Postgres(t))
	w := worldAt(t, gate.URL, nil)
	e := w.happened("ada", 1)[0]
	d, r := delivery(t, e), record(t, e)
	gate.Shut()
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	w.recorder.NotHandled(ctx, d, refused)
	// After one that could not be written no other is tried for a while, however long there would be.
	began := time.Now()
	for range 1000 {
		w.fails(d, refused)
	}
	if took := time.Since(began); took > time.Second {
		t.Errorf("a thousand notes took %v", took)
	}
	deadline, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	err := w.handle[proto.Tasks](deadline, sidecar.Delivery{Key: "ada", Place: "0/1", Data: r})
	if !errs.Is(err, errs.Unavailable) || event.VerdictOf(err) != event.Retry {
		t.Errorf("the record says %v", err)
	}
	gate.Open()
	testkit.Eventually(t, "the dead letter", func(ctx context.Context) (bool, any) {
		err := w.handle[proto.Tasks](ctx, sidecar.Delivery{Key: "ada", Place: "0/1", Data: r})
		return err == nil, err
	})
	// What was owed is written when it can be.
	if l := w.only(); l.State != deadletter.Dead || l.Attempts != 1001 || l.Reason != refused.Reason {
		t.Errorf("the letter is %+v", l)
	}
}

func TestNotesThatAreOwedAreWrittenWhenTheDatabaseIsBackAndAreNotWithoutBound(t *testing.T) {
	t.Parallel()
	gate := testkit.NewGate(t, testkit.Postgres(t))
	w := worldAt(t, gate.URL, nil)
	e := w.happened("ada", 1)[0]
	gate.Shut()
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	w.recorder.NotHandled(ctx, delivery(t, e), sidecar.Failure{Kind: "unavailable", Reason: "the first"})
	w.fails(delivery(t, e), sidecar.Failure{Kind: "unavailable", Reason: "the last"})
	for i := range 1500 {
		w.fails(sidecar.Delivery{Topic: proto.Tasks, ID: fmt.Sprint(i)}, refused)
	}
	gate.Open()
	testkit.Background(t, w.recorder.Run)
	testkit.Eventually(t, "the notes", func(ctx context.Context) (bool, any) {
		var n int64
		err := w.db.Read(ctx).Table("dead_letters").Count(&n).Error
		return n == 1000, fmt.Sprint(n, err)
	})
	if l := w.list(deadletter.Filter{IDs: []string{e.ID}})[0]; l.Attempts != 2 || l.Reason != "the last" {
		t.Errorf("the letter is %+v", l)
	}
}

func FuzzWhateverIsOnADeadLetterTopicIsRecorded(f *testing.F) {
	w := newWorld(f, nil)
	f.Add("ada", []byte("null"))
	f.Add("", []byte(`{"id":"\u0000","data_base64":"*","type":"x"}`))
	f.Add("\x00", []byte(`{"data":{"event_id":"0192f0c0-0000-7000-8000-000000000000","user_id":"\u0000","event_type":"x","aggregate_id":"a","sequence":9223372036854775807,"version":1},"datacontenttype":"application/json"}`))
	f.Fuzz(func(t *testing.T, key string, data []byte) {
		for topic, handle := range w.handle {
			if err := handle(t.Context(), sidecar.Delivery{Key: key, Data: data}); err != nil {
				t.Errorf("%s: %v", topic, err)
			}
			w.recorder.NotHandled(t.Context(), sidecar.Delivery{Topic: topic, ID: key, Type: key, Source: key, Key: key, Data: data}, sidecar.Failure{Reason: key, Kind: key})
		}
	})
}
