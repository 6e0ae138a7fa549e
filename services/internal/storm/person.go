// Package storm is people who use a running suite while somebody breaks parts of it, and the proof that they lost
// nothing. It knows the suite from a user's side only; who breaks what, and how, is the test's.
//
// A person does what a good client does: it sends a request that failed again with the same Idempotency-Key, and its
// windows connect again and ask for what they missed. What such a client would still see counts as a failure.
package storm

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/taskflow-suite/taskflow/services/internal/client"
)

// Person is one user with windows open, and every task the user was told exists. Make one with Open.
type Person struct {
	*client.Client
	Windows []*Window

	mu    sync.Mutex
	tasks map[string]bool
}

// Window is one open window: the tasks it was told of, in order.
type Window struct {
	*client.Follower
	mu      sync.Mutex
	created map[string]int
	frames  int
}

func (w *Window) see(f client.Frame) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.frames++
	if f.Type == "task.created" {
		w.created[f.Data.TaskID]++
	}
}

func (w *Window) told(id string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.created[id]
}

// Frames is how many frames have come.
func (w *Window) Frames() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.frames
}

// Open makes a person who asks with api and has a window of each of the other clients, which are the same user's. It
// returns once all windows are live; they close with the test.
func Open(t testing.TB, api *client.Client, windows ...*client.Client) *Person {
	t.Helper()
	p := &Person{Client: api, tasks: map[string]bool{}}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	var running sync.WaitGroup
	t.Cleanup(func() { cancel(); running.Wait() })
	for _, c := range windows {
		w := &Window{created: map[string]int{}}
		w.Follower = c.Follow(0, w.see)
		p.Windows = append(p.Windows, w)
		running.Go(func() { _ = w.Run(ctx) })
	}
	for _, w := range p.Windows {
		select {
		case <-w.Live():
		case <-time.After(30 * time.Second):
			t.Fatalf("a window of %s did not open within 30 s", api.UserID)
		}
	}
	return p
}

// Made notes that the person was told that a task exists.
func (p *Person) Made(id string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.tasks[id] = true
}

// add makes a task, trying again with the same Idempotency-Key as long as the suite is partly down. It returns how often
// it tried again.
func (p *Person) add(ctx context.Context, title string) (again int, err error) {
	key := p.UserID + " " + title
	for ; ; again++ {
		task, err := p.Create(ctx, title, key)
		if err == nil {
			p.Made(task.ID)
			return again, nil
		}
		if !passing(err) {
			return again, err
		}
		select {
		case <-ctx.Done():
			return again, errors.Join(ctx.Err(), err)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// passing reports whether a client should try again: no answer, or one of somebody who could not ask the service.
func passing(err error) bool {
	var status *client.Status
	if !errors.As(err, &status) {
		return true
	}
	switch status.Code {
	case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

// Again fails the test unless the person can make a task within a time, trying again as good clients do.
func (p *Person) Again(t testing.TB, within time.Duration) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	if _, err := p.add(ctx, "again at "+time.Now().Format(time.RFC3339Nano)); err != nil {
		t.Errorf("no task could be made within %s: %v", within, err)
	}
}
