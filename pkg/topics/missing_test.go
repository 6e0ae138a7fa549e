package topics_test

import (
	"slices"
	"testing"
	"time"

	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/testkit"
	"github.com/taskflow-suite/taskflow/pkg/topics"
	"github.com/taskflow-suite/taskflow/proto"
)

func TestMissingNamesTopicsAndPartitionsAndMakesNone(t *testing.T) {
	t.Parallel()
	broker := testkit.StartBroker(t)
	missing := func() []string {
		t.Helper()
		names, err := topics.Missing(within(t, 30*time.Second), []string{broker.Addr}, topics.Access{})
		if err != nil {
			t.Fatal(err)
		}
		return names
	}
	if names := missing(); len(names) != len(proto.AllTopics()) {
		t.Errorf("of a broker without topics %v are missing", names)
	}
	if have := list(t, broker.Addr); len(have) != 0 {
		t.Errorf("asking made %v", have)
	}
	made, err := admin(t, broker.Addr).CreateTopic(within(t, 30*time.Second), 3, -1, nil, string(proto.Tasks))
	if err != nil || made.Err != nil {
		t.Fatal(err, made.Err)
	}
	if names := missing(); !slices.Contains(names, "tasks.events (3 of 12 partitions)") {
		t.Errorf("with 3 partitions %v are missing", names)
	}
	apply(t, broker.Addr)
	if names := missing(); len(names) != 0 {
		t.Errorf("with all topics %v are missing", names)
	}
}

func TestMissingOfABrokerThatIsAwayIsUnavailable(t *testing.T) {
	t.Parallel()
	broker := testkit.StartBroker(t)
	broker.Kill()
	if _, err := topics.Missing(within(t, 3*time.Second), []string{broker.Addr}, topics.Access{}); !errs.Is(err, errs.Unavailable) {
		t.Errorf("says %v", err)
	}
}
