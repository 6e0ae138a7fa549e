package e2e_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/taskflow-suite/taskflow/pkg/event"
	"github.com/taskflow-suite/taskflow/pkg/kafka"
	contract "github.com/taskflow-suite/taskflow/proto"
)

func TestWindowResumesWhereItWas(t *testing.T) {
	s := start(t, spine()...)
	const events, cuts, batch = 10_000, 100, 100
	p := s.open("reader", "task-api", "notifier")
	w := p.Windows[0]

	restarted := make(chan error, 1)
	for made := 0; made < events; made += batch {
		if made == events/2 {
			// In the middle of it the notifier dies, and is started again while events go on.
			if err := s.Kill("notifier"); err != nil {
				t.Fatal(err)
			}
			go func() { restarted <- s.Start("notifier") }()
		}
		p.createBatch(t, made, batch)
		if rand.IntN(events/batch) < cuts { // every batch, as there are as many batches as cuts
			w.Drop()
		}
	}
	if err := <-restarted; err != nil {
		t.Fatal(err)
	}
	s.check([]*person{p}, 2*time.Minute)
	if w.Connects() < cuts/2 {
		t.Errorf("the window connected only %d times: it was hardly ever cut", w.Connects())
	}
	t.Logf("%d events over %d connections", w.Frames(), w.Connects())
}

// createBatch makes n tasks with one request.
func (p *person) createBatch(t *testing.T, from, n int) {
	t.Helper()
	var operations []map[string]any
	for i := range n {
		operations = append(operations, map[string]any{"op": "create", "task": map[string]any{"title": fmt.Sprintf("task %d", from+i)}})
	}
	var answer struct {
		Results []struct {
			Status int `json:"status"`
			Task   struct {
				ID string `json:"id"`
			} `json:"task"`
		} `json:"results"`
	}
	if err := p.Do(t.Context(), http.MethodPost, "/tasks/batch", "", map[string]any{"operations": operations}, &answer); err != nil {
		t.Fatal(err)
	}
	if len(answer.Results) != n {
		t.Fatalf("%d results of %d", len(answer.Results), n)
	}
	for i, r := range answer.Results {
		if r.Status != http.StatusCreated {
			t.Fatalf("operation %d: status %d", i, r.Status)
		}
		p.Made(r.Task.ID)
	}
}

func TestRepeatedAndShuffledDeliveriesHaveOneEffect(t *testing.T) {
	s := start(t, spine()...)
	p := s.open("reader", "task-api", "notifier")
	p.createBatch(t, 0, 50)
	s.check([]*person{p}, time.Minute)

	// Everything again, twice and in any order, as a broker may deliver it.
	var log struct {
		Items []json.RawMessage `json:"items"`
	}
	if err := p.Do(t.Context(), http.MethodGet, "/events?limit=500", "", nil, &log); err != nil {
		t.Fatal(err)
	}
	if len(log.Items) < 50 {
		t.Fatalf("only %d events in the log", len(log.Items))
	}
	again := append(append([]json.RawMessage{}, log.Items...), log.Items...)
	rand.Shuffle(len(again), func(i, j int) { again[i], again[j] = again[j], again[i] })
	access, err := kafka.Options(s.BrokerAccess())
	if err != nil {
		t.Fatal(err)
	}
	kc, err := kgo.NewClient(append(access, kgo.SeedBrokers(strings.Split(s.Brokers(), ",")...))...)
	if err != nil {
		t.Fatal(err)
	}
	defer kc.Close()
	for _, raw := range again {
		e, err := event.Decode(raw)
		if err != nil {
			t.Fatalf("an event of the audit trail is not the event itself: %v", err)
		}
		r, err := kafka.Record("replayed", contract.Tasks, event.Message{ID: e.ID, Type: e.Type, Key: e.UserID, Data: raw})
		if err != nil {
			t.Fatal(err)
		}
		if err := kc.ProduceSync(t.Context(), r).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}

	// A task made afterwards comes behind all of it, and once; nothing else came.
	p.createBatch(t, 50, 1)
	s.check([]*person{p}, time.Minute)
	if w := p.Windows[0]; w.Frames() != 51 {
		t.Errorf("the window got %d frames for 51 tasks", w.Frames())
	}
}
