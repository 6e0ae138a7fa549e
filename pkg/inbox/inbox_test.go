package inbox_test

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/event"
	"github.com/taskflow-suite/taskflow/pkg/inbox"
	"github.com/taskflow-suite/taskflow/pkg/postgres"
	"github.com/taskflow-suite/taskflow/pkg/telemetry"
	"github.com/taskflow-suite/taskflow/pkg/testkit"
	contract "github.com/taskflow-suite/taskflow/proto"
	taskv1 "github.com/taskflow-suite/taskflow/proto/gen/taskflow/task/v1"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// once handles an event and reports whether it was the first time; effect runs in the same transaction then.
func once(t *testing.T, db *postgres.DB, consumer, id string, effect func(*postgres.Tx) error) (first bool, err error) {
	t.Helper()
	err = db.Transaction(t.Context(), func(tx *postgres.Tx) error {
		var err error
		if first, err = inbox.Once(tx, consumer, id); err != nil || !first {
			return err
		}
		return effect(tx)
	})
	return first, err
}

func nothing(*postgres.Tx) error { return nil }

func TestOfTwentyDeliveriesAtOnceOneHasTheEffect(t *testing.T) {
	t.Parallel()
	db, id := testkit.OpenPostgres(t), event.NewID()
	var effects atomic.Int32
	var deliveries sync.WaitGroup
	for range 20 {
		deliveries.Go(func() {
			_, err := once(t, db, "twentieth", id, func(*postgres.Tx) error {
				effects.Add(1)
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	deliveries.Wait()
	if effects.Load() != 1 {
		t.Errorf("the effect happened %d times", effects.Load())
	}
	if got := duplicates(t, "twentieth"); got != 19 {
		t.Errorf("%v duplicates are counted", got)
	}
}

// duplicates is how many a consumer has had.
func duplicates(t *testing.T, consumer string) float64 {
	t.Helper()
	families, err := telemetry.Metrics().Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			if f.GetName() == "taskflow_inbox_duplicates_total" && m.GetLabel()[0].GetValue() == consumer {
				return m.GetCounter().GetValue()
			}
		}
	}
	return 0
}

func TestEachConsumerAndEachEventIsNotedByItself(t *testing.T) {
	t.Parallel()
	db, a, b := testkit.OpenPostgres(t), event.NewID(), event.NewID()
	for _, delivery := range []struct {
		consumer, id string
		first        bool
	}{{"scheduler", a, true}, {"mcp-tools", a, true}, {"scheduler", b, true}, {"scheduler", a, false}, {"mcp-tools", a, false}} {
		if first, err := once(t, db, delivery.consumer, delivery.id, nothing); err != nil || first != delivery.first {
			t.Errorf("%s and %s: first is %t (%v)", delivery.consumer, delivery.id, first, err)
		}
	}
}

func TestAnEffectThatFailsIsTriedAgain(t *testing.T) {
	t.Parallel()
	db, id, failure := testkit.OpenPostgres(t), event.NewID(), errors.New("no")
	if _, err := once(t, db, "scheduler", id, func(*postgres.Tx) error { return failure }); !errors.Is(err, failure) {
		t.Errorf("the error is %v", err)
	}
	if first, err := once(t, db, "scheduler", id, nothing); err != nil || !first {
		t.Errorf("the second delivery: first is %t (%v)", first, err)
	}
}

func TestWhatAnEventCausesNamesIt(t *testing.T) {
	t.Parallel()
	db, id := testkit.OpenPostgres(t), event.NewID()
	_, err := once(t, db, "scheduler", id, func(tx *postgres.Tx) error {
		return tx.Append(event.New(contract.TaskCreated, time.Now(), "ada", "t1", 1, &taskv1.TaskCreated{}))
	})
	if err != nil {
		t.Fatal(err)
	}
	events, err := postgres.NewLog(db).Since(t.Context(), "ada", contract.Tasks, 0, 10)
	if err != nil || len(events) != 1 || events[0].CausationID != id {
		t.Errorf("the events are %+v (%v), caused by %s", events, err, id)
	}
}

func TestAnIDThatIsNoUUIDCanNeverBeHandled(t *testing.T) {
	t.Parallel()
	db := testkit.OpenPostgres(t)
	for _, id := range []string{"", "x", "a\x00b", "{" + event.NewID() + "}", "urn:uuid:" + event.NewID(), "'; DROP TABLE inbox; --"} {
		if _, err := once(t, db, "scheduler", id, nothing); !errs.Is(err, errs.Invalid) {
			t.Errorf("id %q: %v", id, err)
		}
	}
}
