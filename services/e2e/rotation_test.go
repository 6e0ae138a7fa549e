//go:build kafka

package e2e_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/taskflow-suite/taskflow/pkg/config"
	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/stack"
	"github.com/taskflow-suite/taskflow/pkg/topics"

	"github.com/taskflow-suite/taskflow/services/internal/storm"
)

// TestLoginsAreRotatedUnderLoadAndNothingIsLost does what docs/brokers.md tells an operator, service by service, while people use
// the suite: a second user with the same rights, the sidecar restarted as that user, the first user removed.
func TestLoginsAreRotatedUnderLoadAndNothingIsLost(t *testing.T) {
	k := &realKafka{users: newUsers()}
	s := startAs(t, func(o *stack.Options) { withKafka(o, k) }, spine()...)
	var people []*person
	for i := range 10 { // 20 windows
		people = append(people, s.open(fmt.Sprintf("user-%d", i), "task-api", "notifier", "notifier"))
	}
	brokers := strings.Split(s.Brokers(), ",")
	load := storm.Create(stormy(people), 100)
	for i, u := range k.users {
		if s.URL(u.Role+"-dapr") == "" {
			continue // no sidecar of it runs here
		}
		pause(2 * time.Second)
		next := topics.User{Name: u.Role + "-b", Role: u.Role, Password: config.NewSecret(rand.Text())}
		within(t, time.Minute, func(ctx context.Context) error {
			return topics.ApplyUsers(ctx, brokers, k.Admin, []topics.User{next}, io.Discard)
		})
		within(t, time.Minute, func(ctx context.Context) error {
			return topics.ApplyACLs(ctx, brokers, k.Admin, []topics.User{next}, io.Discard)
		})
		if err := s.SidecarLogin(u.Role, k.Login(next.Name, next.Password.Reveal())); err != nil {
			t.Fatal(err)
		}
		within(t, time.Minute, func(ctx context.Context) error { return s.Terminate(ctx, u.Role+"-dapr") })
		if err := s.Start(u.Role + "-dapr"); err != nil {
			t.Fatal(err)
		}
		if err := s.Ready(t.Context()); err != nil {
			t.Fatal(err)
		}
		within(t, time.Minute, func(ctx context.Context) error {
			return topics.RemoveUser(ctx, brokers, k.Admin, u.Name, io.Discard)
		})
		k.users[i] = next
		s.eventually(10*time.Second, func() error {
			_, err := topics.Missing(t.Context(), brokers, k.Login(u.Name, u.Password.Reveal()))
			if errs.KindOf(err) != errs.Denied {
				return errors.Join(fmt.Errorf("the old login of %s still works", u.Role), err)
			}
			return nil
		})
	}
	pause(2 * time.Second)
	if err := load.Stop(); err != nil {
		t.Fatal(err)
	}
	s.check(people, time.Minute)
	found, err := topics.CheckACLs(t.Context(), brokers, k.Admin, k.users)
	if err != nil || !found.Clean() {
		t.Errorf("%+v, %v", found, err)
	}
}

// within fails the test unless do succeeds in time.
func within(t *testing.T, limit time.Duration, do func(context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	if err := do(ctx); err != nil {
		t.Fatal(err)
	}
}
