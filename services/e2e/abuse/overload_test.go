package abuse_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/taskflow-suite/taskflow/services/internal/client"
	"github.com/taskflow-suite/taskflow/services/internal/stage"
)

const (
	// beyond is how many times what there is room for is asked.
	beyond = 5
	// storming is for how long.
	storming = 6 * time.Second
	// bounded is how long 99 of 100 requests may take that were let in, however many come.
	bounded = 6 * time.Second
	// back is how soon after the storm one request is as quick as before.
	back = 5 * time.Second
)

// overload asks for much more than there is room for: what is too much is turned away and told when to come back, what is
// let in is answered soon, and afterwards all is well again within seconds.
func (w *world) overload(t *testing.T) {
	watch := &stage.Watch{}
	shared := client.NewHTTP(3000, 30*time.Second)
	var people []*client.Client
	for i := range 200 {
		c := w.User(fmt.Sprintf("crowd-%d", i), "task-api", "notifier", nil)
		c.Token, c.HTTP = w.issuer.token(c.UserID), shared
		people = append(people, c)
	}
	shared.Transport = watch.Over(shared.Transport)
	room := w.room(t, people)
	t.Logf("there is room for %.0f tasks a second", room)

	var mu sync.Mutex
	var accepted []time.Duration
	var all sync.WaitGroup
	places := make(chan struct{}, 4000) // requests under way: what a machine of clients can have
	began, held := time.Now(), 0
	for n := 0; time.Since(began) < storming; n++ {
		<-time.After(time.Until(began.Add(time.Duration(float64(n) / (beyond * room) * float64(time.Second)))))
		select {
		case places <- struct{}{}:
		default:
			held++
			continue
		}
		all.Go(func() {
			defer func() { <-places }()
			sent := time.Now()
			if _, err := people[n%len(people)].Create(context.WithoutCancel(t.Context()), "more", ""); err == nil {
				mu.Lock()
				accepted = append(accepted, time.Since(sent))
				mu.Unlock()
			}
		})
	}
	all.Wait()
	over := time.Now()
	watch.Check(t)
	shed := watch.Count(http.StatusServiceUnavailable) + watch.Count(http.StatusTooManyRequests)
	if shed == 0 {
		t.Error("nothing was turned away: it was no more than there is room for")
	}
	slices.Sort(accepted)
	if len(accepted) == 0 {
		t.Fatal("nothing was let in")
	}
	p50, p99 := accepted[len(accepted)/2], accepted[len(accepted)*99/100]
	t.Logf("%d let in (p50 %s, p99 %s), %d turned away, %d not even sent", len(accepted), p50.Round(time.Millisecond), p99.Round(time.Millisecond), shed, held)
	if p99 > bounded {
		t.Errorf("what was let in took %s (p99)", p99)
	}
	for {
		sent := time.Now()
		_, err := people[0].Create(t.Context(), "after", "")
		if err == nil && time.Since(sent) < time.Second {
			break
		}
		if time.Since(over) > back {
			t.Fatalf("%s after the storm a task takes %s (%v)", time.Since(over), time.Since(sent), err)
		}
	}
	t.Logf("all is well again %s after the storm", time.Since(over).Round(time.Millisecond))
	shared.CloseIdleConnections()
}

// room is how many tasks a second there is room for: what 32 clients get made that wait for each, in the best of a few
// seconds. A machine that paused for the others has not less room, and five times too little of it would be no storm.
func (w *world) room(t *testing.T, people []*client.Client) float64 {
	t.Helper()
	const seconds = 4
	var made [seconds]atomic.Int64
	var all sync.WaitGroup
	began := time.Now()
	for i := range 32 {
		all.Go(func() {
			for n := 0; ; n++ {
				_, err := people[(i*7+n)%len(people)].Create(t.Context(), "room", "")
				second := int(time.Since(began) / time.Second)
				switch {
				case err != nil:
					t.Errorf("while 32 clients wait for each task: %v", err)
					return
				case second >= seconds:
					return
				}
				made[second].Add(1)
			}
		})
	}
	all.Wait()
	var best int64
	for i := range made {
		best = max(best, made[i].Load())
	}
	return float64(best)
}
