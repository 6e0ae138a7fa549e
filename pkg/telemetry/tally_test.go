package telemetry

import (
	"testing"
	"time"

	"github.com/taskflow-suite/taskflow/pkg/errs"
)

// failed is the metric of one door and kind.
func failed(t *testing.T, door, kind string) float64 {
	t.Helper()
	families, err := Metrics().Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() != "taskflow_failures_total" {
			continue
		}
		for _, m := range f.GetMetric() {
			if m.GetLabel()[0].GetValue() == door && m.GetLabel()[1].GetValue() == kind {
				return m.GetCounter().GetValue()
			}
		}
	}
	t.Fatalf("there is no count of %s at %s", kind, door)
	return 0
}

func TestEveryKindOfFailureIsCountedFromZeroOn(t *testing.T) {
	Failed(Events, errs.Stale.String())
	before := Counted()
	Failed(Events, errs.Stale.String())
	if got := Counted().Failures[Events]["stale"]; got != before.Failures[Events]["stale"]+1 {
		t.Errorf("the tally has %d", got)
	}
	for kind := errs.Internal; kind <= errs.Unavailable; kind++ {
		want := 0.0
		if kind == errs.Stale {
			want = 2
		}
		if got := failed(t, "events", kind.String()); got != want {
			t.Errorf("%s: the metric has %v, want %v", kind, got, want)
		}
	}
}

func TestTheTallyKnowsHowOldTheLastEventOfATopicWas(t *testing.T) {
	t.Parallel()
	Handled("some.topic", time.Now().Add(-time.Minute))
	Handled("some.topic", time.Time{}) // what is no event has no age
	got := Counted().Topics["some.topic"]
	if got.Handled != 2 || got.Age < 60 || got.Age > 90 || time.Since(got.At) > time.Minute {
		t.Errorf("it has %+v", got)
	}
	Handled("some.topic", time.Now().Add(time.Hour)) // by a clock that is fast
	if got := Counted().Topics["some.topic"]; got.Age != 0 || got.Handled != 3 {
		t.Errorf("it has %+v", got)
	}
}
