package bench

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/taskflow-suite/taskflow/services/internal/client"
)

// perUser is how many windows one user has open when many are idle.
const perUser = 50

// sockets opens many idle windows and looks at what they cost, then announces one user's task to 1,000 of them.
func (b *session) sockets(ctx context.Context) error {
	var open []*client.Socket
	defer func() {
		for _, c := range open {
			_ = c.Close()
		}
	}()
	before := rss(b.stack.Pid("notifier"))
	for _, n := range []int{1000, 5000, 10_000} {
		more, took, err := b.open(ctx, n-len(open), len(open))
		open = append(open, more...)
		if err != nil {
			return fmt.Errorf("%d windows: %w", n, err)
		}
		b.report.time(fmt.Sprintf("open a window when there are up to %d, p50", n), quantile(took, 0.50))
		b.report.time(fmt.Sprintf("open a window when there are up to %d, p99", n), quantile(took, 0.99))
		b.report.add(fmt.Sprintf("memory of notifier with %d idle windows", n), rss(b.stack.Pid("notifier")), "MiB")
	}
	b.report.add("memory of notifier before them", before, "MiB")
	for _, c := range open {
		_ = c.Close()
	}
	open = nil
	return b.broadcast(ctx, 1000)
}

// open opens n windows, 32 at a time, and tells how long each took until its hello.
func (b *session) open(ctx context.Context, n, from int) ([]*client.Socket, []time.Duration, error) {
	var mu sync.Mutex
	var open []*client.Socket
	var took []time.Duration
	var failed error
	slots := make(chan struct{}, 32)
	var running sync.WaitGroup
	for i := range n {
		c, err := b.user(fmt.Sprintf("idle-%d", (from+i)/perUser), 1)
		if err != nil {
			return open, took, err
		}
		slots <- struct{}{}
		running.Go(func() {
			defer func() { <-slots }()
			began := time.Now()
			conn, err := c.Connect(ctx, -1)
			if err == nil {
				_, err = conn.Read()
			}
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				failed = errors.Join(failed, err)
				return
			}
			open = append(open, conn)
			took = append(took, time.Since(began))
		})
	}
	running.Wait()
	slices.Sort(took)
	return open, took, failed
}

// broadcast measures how long it takes until all windows of one user know of a new task.
func (b *session) broadcast(ctx context.Context, windows int) error {
	c, err := b.user("broadcast", 4)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	var running sync.WaitGroup
	defer running.Wait()
	defer cancel()
	frames := make(chan time.Time, windows)
	var followers []*client.Follower
	for range windows {
		f := c.Follow(0, func(f client.Frame) { frames <- f.Received })
		followers = append(followers, f)
		running.Go(func() { _ = f.Run(ctx) })
	}
	for _, f := range followers {
		select {
		case <-f.Live():
		case <-time.After(time.Minute):
			return errors.New("a window did not open within a minute")
		}
	}
	var last []time.Duration
	const rounds = 20
	for range rounds {
		if _, err := c.Create(ctx, "For everybody", ""); err != nil {
			return err
		}
		answered := time.Now()
		var latest time.Time
		for range windows {
			select {
			case at := <-frames:
				if at.After(latest) {
					latest = at
				}
			case <-time.After(30 * time.Second):
				return errors.New("not all windows had the frame within 30 s")
			}
		}
		last = append(last, max(0, latest.Sub(answered)))
	}
	slices.Sort(last)
	b.report.time(fmt.Sprintf("201 → the last of %d windows of one user has the frame, p50", windows), quantile(last, 0.50))
	b.report.time(fmt.Sprintf("201 → the last of %d windows of one user has the frame, max", windows), last[len(last)-1])
	return nil
}
