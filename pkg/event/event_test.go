package event_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/event"
	contract "github.com/taskflow-suite/taskflow/proto"
	taskv1 "github.com/taskflow-suite/taskflow/proto/gen/taskflow/task/v1"
)

func TestEnvelopeReadsAsTheContractSays(t *testing.T) {
	t.Parallel()
	data, err := event.Marshal(&taskv1.TaskCreated{Fields: &taskv1.Fields{
		Title: "Buy milk", Due: &taskv1.Due{When: &taskv1.Due_Date{Date: "2026-12-01"}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	e := event.Envelope{
		ID: "0192", Type: "task.created", UserID: "u1", AggregateID: "t1", Version: 3, Sequence: 42, CorrelationID: "c",
		Timestamp: event.Time{Time: time.Date(2026, 11, 22, 10, 0, 0, 120_000_000, time.FixedZone("CET", 3600))},
		Data:      data,
	}
	got, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"event_id":"0192","event_type":"task.created","user_id":"u1","timestamp":"2026-11-22T09:00:00.120Z",` +
		`"aggregate_id":"t1","version":3,"sequence":42,"correlation_id":"c",` +
		`"data":{"fields":{"title":"Buy milk","due":{"date":"2026-12-01"}}}}`
	if string(got) != want {
		t.Errorf("envelope\n got %s\nwant %s", got, want)
	}
	back, err := event.Decode(got)
	if err != nil {
		t.Fatal(err)
	}
	if !back.Timestamp.Equal(e.Timestamp.Time) || back.Sequence != 42 {
		t.Errorf("read back %+v", back)
	}
}

func TestEveryPayloadSurvivesTheWire(t *testing.T) {
	t.Parallel()
	for _, kind := range contract.Events() {
		t.Run(kind.Name, func(t *testing.T) {
			t.Parallel()
			in := kind.New()
			raw, err := event.Marshal(in)
			if err != nil {
				t.Fatal(err)
			}
			out := kind.New()
			if err := event.Unmarshal(raw, out); err != nil {
				t.Fatal(err)
			}
			if !proto.Equal(in, out) {
				t.Errorf("%v came back as %v", in, out)
			}
		})
	}
}

func TestRouterGivesEachErrorItsVerdict(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		err  error
		want event.Verdict
	}{
		"no error is done":                            {nil, event.Done},
		"an unavailable dependency is retried":        {errs.New(errs.Unavailable, "down"), event.Retry},
		"an internal failure is retried":              {errors.New("boom"), event.Retry},
		"an invalid event is dropped":                 {errs.New(errs.Invalid, "no"), event.Drop},
		"an event about nothing is dropped":           {errs.New(errs.NotFound, "no"), event.Drop},
		"a wrapped unavailable dependency is retried": {errs.Because(errors.New("x"), errs.Unavailable, "down"), event.Retry},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := event.VerdictOf(c.err); got != c.want {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}

func TestRouterDelivers(t *testing.T) {
	t.Parallel()
	const envelope = `{"event_id":"e","event_type":"%TYPE%","user_id":"u","timestamp":"2026-11-22T09:00:00.000Z",` +
		`"aggregate_id":"a","version":1,"sequence":1,"data":%DATA%}`
	fill := func(kind, data string) []byte {
		s := []byte(envelope)
		s = bytes.Replace(s, []byte("%TYPE%"), []byte(kind), 1)
		return bytes.Replace(s, []byte("%DATA%"), []byte(data), 1)
	}
	var got string
	r := event.NewRouter()
	event.On(r, contract.TaskUpdated, func(_ context.Context, m event.Meta, p *taskv1.TaskUpdated) error {
		got = m.UserID + " " + p.GetFields().GetTitle()
		return nil
	})
	ctx := t.Context()

	if err := r.Deliver(ctx, contract.Tasks, fill("task.updated", `{"changed":["title"],"fields":{"title":"x"}}`)); err != nil || got != "u x" {
		t.Errorf("a fitting event: got %q, %v", got, err)
	}
	if err := r.Deliver(ctx, contract.Tasks, fill("task.updated", `{"a_newer_field":1}`)); err != nil {
		t.Errorf("a field of a newer publisher: %v", err)
	}
	if err := r.Deliver(ctx, contract.Tasks, fill("task.painted", `{}`)); err != nil {
		t.Errorf("a type nobody registered for: %v", err)
	}
	if err := r.Deliver(ctx, contract.Tasks, fill("task.updated", `{"changed":7}`)); !errs.Is(err, errs.Invalid) {
		t.Errorf("data of another type: %v", err)
	}
	if err := r.Deliver(ctx, contract.Users, fill("task.updated", `{}`)); !errs.Is(err, errs.Invalid) {
		t.Errorf("the wrong topic: %v", err)
	}
	if err := r.Deliver(ctx, contract.Tasks, []byte(`{"event_id":"e"}`)); !errs.Is(err, errs.Invalid) {
		t.Errorf("an incomplete event: %v", err)
	}

	e, err := event.Decode(fill("task.updated", `{"fields":{"title":"y"}}`))
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Handle(ctx, event.Meta{Envelope: e, Topic: contract.Tasks}); err != nil || got != "u y" {
		t.Errorf("an event decoded before: got %q, %v", got, err)
	}
	if err := r.Handle(ctx, event.Meta{Envelope: e, Topic: contract.Users}); !errs.Is(err, errs.Invalid) {
		t.Errorf("an event decoded before, of the wrong topic: %v", err)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"event_id":"e","event_type":"task.created","user_id":"u","timestamp":"2026-11-22T09:00:00.000Z","aggregate_id":"a","version":1,"sequence":1,"data":{}}`))
	f.Add([]byte(`{}`))
	f.Add([]byte(`[`))
	f.Fuzz(func(t *testing.T, data []byte) {
		e, err := event.Decode(data)
		if err != nil {
			if !errs.Is(err, errs.Invalid) {
				t.Fatalf("an unreadable event must be invalid, not %v", err)
			}
			return
		}
		if e.Sequence < 1 || e.UserID == "" {
			t.Fatalf("accepted an incomplete event: %+v", e)
		}
	})
}

func FuzzPayload(f *testing.F) {
	f.Add(0, []byte(`{"fields":{"title":"x","reminders":[5]}}`))
	f.Fuzz(func(t *testing.T, n int, data []byte) {
		kinds := contract.Events()
		payload := kinds[uint(n)%uint(len(kinds))].New()
		if err := event.Unmarshal(data, payload); err != nil {
			if !errs.Is(err, errs.Invalid) {
				t.Fatalf("unreadable data must be invalid, not %v", err)
			}
			return
		}
		if _, err := event.Marshal(payload); err != nil {
			t.Fatalf("what was read cannot be written: %v", err)
		}
	})
}
