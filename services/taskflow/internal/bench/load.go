package bench

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/taskflow-suite/taskflow/services/internal/client"
)

// watchers are users who each have one window open, and the clock between the answer to a request and its frame.
type watchers struct {
	clients   []*client.Client
	followers []*client.Follower
	stop      func()

	mu       sync.Mutex
	answered map[string]time.Time
	framed   map[string]time.Time
	latency  []time.Duration // from the 201 to the frame; 0 if the frame came first
	frames   atomic.Int64
}

func (b *session) watch(ctx context.Context, prefix string, users, connections int) (*watchers, error) {
	clients, err := b.users(prefix, users, connections)
	if err != nil {
		return nil, err
	}
	w := &watchers{clients: clients, answered: map[string]time.Time{}, framed: map[string]time.Time{}}
	ctx, cancel := context.WithCancel(ctx)
	var running sync.WaitGroup
	w.stop = func() { cancel(); running.Wait() }
	for _, c := range clients {
		f := c.Follow(0, w.frame)
		w.followers = append(w.followers, f)
		running.Go(func() { _ = f.Run(ctx) })
	}
	for _, f := range w.followers {
		select {
		case <-f.Live():
		case <-time.After(30 * time.Second):
			w.stop()
			return nil, errors.New("a window did not open within 30 s")
		}
	}
	return w, nil
}

func (w *watchers) frame(f client.Frame) {
	w.frames.Add(1)
	if f.Type != "task.created" {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if at, ok := w.answered[f.Data.TaskID]; ok {
		delete(w.answered, f.Data.TaskID)
		w.latency = append(w.latency, f.Received.Sub(at))
		return
	}
	w.framed[f.Data.TaskID] = f.Received
}

func (w *watchers) answer(id string, at time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if _, ok := w.framed[id]; ok {
		delete(w.framed, id)
		w.latency = append(w.latency, 0)
		return
	}
	w.answered[id] = at
}

// missing is how many answered tasks have no frame yet.
func (w *watchers) missing() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.answered)
}

// settle waits until every answered task has its frame.
func (w *watchers) settle(ctx context.Context, limit time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for w.missing() > 0 {
		select {
		case <-ctx.Done():
			return fmt.Errorf("%d tasks have no frame after %s", w.missing(), limit)
		case <-tick.C:
		}
	}
	return nil
}

// broken lists what the gateway promised the watchers and did not keep.
func (w *watchers) broken() error {
	var all []string
	for _, f := range w.followers {
		all = append(all, f.Broken()...)
	}
	if len(all) > 0 {
		return fmt.Errorf("%d broken promises, the first: %s", len(all), all[0])
	}
	return nil
}

// load is what a load did.
type load struct {
	created int
	took    time.Duration
	request []time.Duration // how long each POST took
}

// create makes tasks from workers at once, at perSecond in all (0 = as fast as they are answered), for a time.
func (w *watchers) create(ctx context.Context, workers int, perSecond float64, lasting time.Duration) (load, error) {
	ctx, cancel := context.WithTimeout(ctx, lasting+30*time.Second)
	defer cancel()
	began := time.Now()
	var next atomic.Int64
	var mu sync.Mutex
	var all load
	var failed error
	var running sync.WaitGroup
	for worker := range workers {
		running.Go(func() {
			var mine []time.Duration
			for {
				n := next.Add(1) - 1
				due := began
				if perSecond > 0 {
					due = began.Add(time.Duration(float64(n) / perSecond * float64(time.Second)))
				}
				if due.Sub(began) >= lasting || time.Since(began) >= lasting {
					break
				}
				if wait := time.Until(due); wait > 0 {
					select {
					case <-ctx.Done():
					case <-time.After(wait):
					}
				}
				c := w.clients[(worker+int(n))%len(w.clients)]
				sent := time.Now()
				task, err := c.Create(ctx, fmt.Sprintf("Task %d of the measurement", n), "")
				at := time.Now()
				if err != nil {
					mu.Lock()
					failed = errors.Join(failed, err)
					mu.Unlock()
					break
				}
				w.answer(task.ID, at)
				mine = append(mine, at.Sub(sent))
			}
			mu.Lock()
			defer mu.Unlock()
			all.request = append(all.request, mine...)
		})
	}
	running.Wait()
	all.took = time.Since(began)
	all.created = len(all.request)
	slices.Sort(all.request)
	return all, failed
}

// take empties the latencies gathered so far, sorted.
func (w *watchers) take() []time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	taken := w.latency
	w.latency = nil
	slices.Sort(taken)
	return taken
}

// quantile reads a sorted list; 0 if it is empty.
func quantile(sorted []time.Duration, q float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[min(len(sorted)-1, int(q*float64(len(sorted))))]
}
