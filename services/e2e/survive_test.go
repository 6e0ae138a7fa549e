package e2e_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/taskflow-suite/taskflow/services/internal/storm"
)

// pause is a wait that is part of the experiment: for how long a part is down or a load runs.
func pause(d time.Duration) { <-time.After(d) }

func TestSuiteSurvivesTheDeathOfEachPart(t *testing.T) {
	s := start(t, spine()...)
	for _, part := range []string{"task-api", "notifier", "task-api-dapr", "notifier-dapr", "broker", "postgres"} {
		t.Run(part, func(t *testing.T) {
			s := &suite{s.Suite, t} //nolint:govet // the suite seen by the subtest
			var people []*person
			for i := range 10 { // 20 windows
				people = append(people, s.open(fmt.Sprintf("%s-%d", part, i), "task-api", "notifier", "notifier"))
			}
			load := storm.Create(stormy(people), 200)
			pause(2 * time.Second)
			if err := s.Kill(part); err != nil {
				t.Fatal(err)
			}
			pause(5 * time.Second)
			if err := s.Start(part); err != nil {
				t.Fatal(err)
			}
			if err := s.Ready(t.Context()); err != nil {
				t.Fatal(err)
			}
			pause(2 * time.Second)
			if err := load.Stop(); err != nil {
				t.Fatal(err)
			}
			s.check(people, time.Minute)
		})
	}
}

func TestRequestsAreAnsweredWhileTheBrokerIsDownForAMinute(t *testing.T) {
	s := start(t, spine()...)
	var people []*person
	for i := range 5 {
		people = append(people, s.open(fmt.Sprintf("user-%d", i), "task-api", "notifier"))
	}
	if err := s.Kill("broker"); err != nil {
		t.Fatal(err)
	}
	slowest := time.Duration(0)
	for n, began := 0, time.Now(); time.Since(began) < time.Minute; n++ {
		p := people[n%len(people)]
		sent := time.Now()
		task, err := p.Create(t.Context(), fmt.Sprintf("during the outage %d", n), "")
		if err != nil {
			t.Fatalf("%s into the outage: %v", time.Since(began).Round(time.Second), err)
		}
		slowest = max(slowest, time.Since(sent))
		p.Made(task.ID)
		pause(20 * time.Millisecond)
	}
	t.Logf("the slowest request during the outage took %s", slowest)
	depth, err := s.outbox()
	if err != nil || depth == 0 {
		t.Errorf("the outbox should hold what waits, and say so: %d, %v", depth, err)
	}
	if err := s.Start("broker"); err != nil {
		t.Fatal(err)
	}
	back := time.Now()
	s.check(people, 2*time.Minute)
	t.Logf("everything had arrived %s after the broker was started again", time.Since(back).Round(time.Millisecond))
}

func TestEveryReplicaOfTheNotifierSeesEveryEvent(t *testing.T) {
	services := append(spine(), spine()...)
	s := start(t, services...)
	var people []*person
	for i := range 6 {
		api := []string{"task-api", "task-api-2"}[i%2]
		people = append(people, s.open(fmt.Sprintf("user-%d", i), api, "notifier", "notifier-2"))
	}
	load := storm.Create(stormy(people), 200)
	pause(10 * time.Second)
	if err := load.Stop(); err != nil {
		t.Fatal(err)
	}
	s.check(people, time.Minute)
}
