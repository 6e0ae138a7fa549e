//go:build pooled

package pooled_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/taskflow-suite/taskflow/pkg/stack"

	"github.com/taskflow-suite/taskflow/services/internal/client"
	"github.com/taskflow-suite/taskflow/services/internal/stage"
	"github.com/taskflow-suite/taskflow/services/internal/storm"
)

// failover is how long a managed Postgres may be away while another machine takes over.
const failover = 10 * time.Second

// spine is what tasks and windows need.
func spine() []stack.Service {
	return slices.DeleteFunc(stack.Default(), func(s stack.Service) bool { return s.App != "task-api" && s.App != "notifier" })
}

func TestNothingIsLostWhileThePoolOfTheDatabaseBreaks(t *testing.T) {
	s := start(t, spine()...)
	for _, breakage := range []struct {
		what string
		it   func(t *testing.T)
	}{
		{"the pooler is killed", func(t *testing.T) {
			s.pooler.Kill()
			pause(3 * time.Second)
			s.pooler.Start()
		}},
		{"the server is killed", func(t *testing.T) {
			if err := s.Kill("postgres"); err != nil {
				t.Fatal(err)
			}
			pause(3 * time.Second)
			if err := s.Start("postgres"); err != nil {
				t.Fatal(err)
			}
			if err := s.Ready(t.Context(), "postgres"); err != nil {
				t.Fatal(err)
			}
		}},
		// As a planned failover of PgBouncer's does it: transactions end, new ones wait.
		{"the pooler pauses for ten seconds", func(*testing.T) {
			s.pooler.Command("PAUSE")
			pause(failover)
			s.pooler.Command("RESUME")
		}},
		// As an unplanned one: everything stays open and nothing comes.
		{"the pooler says nothing for ten seconds", func(*testing.T) {
			s.pooler.Freeze()
			pause(failover)
			s.pooler.Thaw()
		}},
		{"every session is ended again and again", func(t *testing.T) {
			for range 10 {
				s.alter(t, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()")
				pause(300 * time.Millisecond)
			}
		}},
	} {
		t.Run(breakage.what, func(t *testing.T) { s.storm(t, 100, func() { breakage.it(t) }) })
	}
}

func TestSessionsMayBeShort(t *testing.T) {
	s := start(t, stack.Default()...)
	t.Run("the pooler gives each a second", func(t *testing.T) {
		s.pooler.Command("SET server_lifetime=1")
		s.pooler.Command("SET server_idle_timeout=1")
		t.Cleanup(func() {
			s.pooler.Command("SET server_lifetime=3600")
			s.pooler.Command("SET server_idle_timeout=600")
		})
		s.storm(t, 100, func() {
			s.talk(t, 8*time.Second)
			if clients, servers := s.pooler.Clients(), s.pooler.Servers(); servers >= clients {
				t.Errorf("%d clients have %d sessions: nobody shares one, so the test shows nothing", clients, servers)
			}
		})
	})
	t.Run("the server ends what is idle for two seconds", func(t *testing.T) {
		s.set(t, "idle_session_timeout", "2s")
		// Sessions are idle for longer than that between two bursts.
		for range 3 {
			s.storm(t, 20, func() { s.talk(t, time.Second) })
			pause(3 * time.Second)
		}
	})
}

// Without a pooler each session is a service's own, and ends while the service thinks it has it.
func TestIdleSessionsMayEndWithoutAPooler(t *testing.T) {
	s := &suite{Suite: stage.Start(t, func(o *stack.Options) {
		o.Postgres = map[string]string{"idle_session_timeout": "2s"}
	}, unlimited(stack.Default())...)}
	for range 3 {
		s.storm(t, 20, func() { s.talk(t, time.Second) })
		pause(3 * time.Second)
	}
}

// talk has people tell the agent to add tasks. Each message has its one effect.
func (s *suite) talk(t *testing.T, duration time.Duration) {
	t.Helper()
	watch := &stage.Watch{}
	var people []*client.Client
	for i := range 3 {
		people = append(people, s.User(fmt.Sprintf("talker-%d-%d", time.Now().UnixNano(), i), "origin", "origin", watch))
	}
	talk := storm.Say(people, 300*time.Millisecond)
	pause(duration)
	if _, err := talk.Stop(t.Context()); err != nil {
		t.Error(err)
	}
	watch.Check(t)
	t.Logf("%d messages", talk.Messages())
}
