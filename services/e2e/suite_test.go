package e2e_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/taskflow-suite/taskflow/pkg/postgres/taskstore"
	"github.com/taskflow-suite/taskflow/pkg/stack"

	"github.com/taskflow-suite/taskflow/services/internal/client"
	"github.com/taskflow-suite/taskflow/services/internal/stage"
	"github.com/taskflow-suite/taskflow/services/internal/storm"
)

// suite is a running suite with the people who use it.
type suite struct {
	*stage.Suite
	t *testing.T
}

// spine is the part of the product that tasks and windows need.
func spine() []stack.Service {
	return slices.DeleteFunc(stack.Default(), func(s stack.Service) bool { return s.App != "task-api" && s.App != "notifier" })
}

// start runs a suite of its own for the test, services built with the race detector. It leaves nothing behind.
func start(t *testing.T, services ...stack.Service) *suite {
	t.Helper()
	return startWith(t, nil, services...)
}

// startWith is start with a language model: its settings, or none for the offline one if it is among the services.
func startWith(t *testing.T, model []string, services ...stack.Service) *suite {
	t.Helper()
	return startAs(t, func(o *stack.Options) { o.Model = model }, services...)
}

// startAs is start with other options.
func startAs(t *testing.T, change func(*stack.Options), services ...stack.Service) *suite {
	t.Helper()
	for i := range services {
		services[i].Env = append(services[i].Env, "RATE_LIMIT=100000", "RATE_BURST=100000", "MAX_CONNECTIONS_PER_USER=1000",
			"CHAT_RATE=100000", "CHAT_BURST=100000", "CHATKIT=true")
	}
	return &suite{stage.Start(t, func(o *stack.Options) {
		pooled(t, o)
		withBroker(t, o)
		change(o)
	}, services...), t}
}

// user makes a client of one user that talks to a task-api and a notifier of the suite.
func (s *suite) user(id, taskAPI, notifier string) *client.Client {
	s.t.Helper()
	c := s.User(id, taskAPI, notifier, nil)
	c.HTTP = client.NewHTTP(8, 10*time.Second)
	return c
}

// person is one of the people who use the suite.
type person struct{ *storm.Person }

// open makes a person with a window on each of the notifiers, and returns once all are live.
func (s *suite) open(id, taskAPI string, notifiers ...string) *person {
	s.t.Helper()
	var windows []*client.Client
	for _, n := range notifiers {
		windows = append(windows, s.user(id, taskAPI, n))
	}
	return &person{storm.Open(s.t, s.user(id, taskAPI, notifiers[0]), windows...)}
}

func stormy(people []*person) []*storm.Person {
	var all []*storm.Person
	for _, p := range people {
		all = append(all, p.Person)
	}
	return all
}

// check proves that nobody lost anything, and that nothing is left behind.
func (s *suite) check(people []*person, within time.Duration) {
	s.t.Helper()
	storm.Check(s.t, stormy(people), within)
	s.drained(within)
	s.rebuilt()
}

// drained waits until the outbox is empty, as readiness reports it.
func (s *suite) drained(within time.Duration) {
	s.t.Helper()
	s.eventually(within, func() error {
		depth, err := s.outbox()
		if err == nil && depth > 0 {
			err = fmt.Errorf("%d events wait in the outbox", depth)
		}
		return err
	})
}

// outbox reads the depth of the outbox off task-api's readiness.
func (s *suite) outbox() (int, error) {
	req, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, s.URL("task-api")+"/readyz", nil)
	if err != nil {
		return 0, err
	}
	res, err := client.NewHTTP(1, 5*time.Second).Do(req)
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	var ready struct {
		Checks struct {
			Outbox struct {
				Detail struct {
					Depth *int `json:"depth"`
				} `json:"detail"`
			} `json:"outbox"`
		} `json:"checks"`
	}
	if err := json.NewDecoder(res.Body).Decode(&ready); err != nil {
		return 0, err
	}
	if ready.Checks.Outbox.Detail.Depth == nil {
		return 0, errors.New("readiness does not tell the depth of the outbox")
	}
	return *ready.Checks.Outbox.Detail.Depth, nil
}

// rebuilt proves that the events alone give the tables.
func (s *suite) rebuilt() {
	s.t.Helper()
	result, err := taskstore.Verify(s.t.Context(), s.DatabaseURL())
	if err != nil {
		s.t.Fatalf("rebuild: %v", err)
	}
	for _, d := range result.Differences {
		s.t.Errorf("rebuild: %s", d)
	}
	s.t.Logf("rebuilt %d tasks from %d events: %d differences", result.Tasks, result.Events, len(result.Differences))
}

// eventually tries until there is no error, and fails with the last one.
func (s *suite) eventually(within time.Duration, try func() error) {
	s.t.Helper()
	storm.Eventually(s.t, within, try)
}
