package app

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/taskflow-suite/taskflow/services/e2e/chaos/internal/plan"
)

// every is how often people are told how it goes.
const every = 5 * time.Second

// progress tells until it is stopped.
func (r *run) progress() (stop func()) {
	end := make(chan struct{})
	var running sync.WaitGroup
	running.Go(func() {
		tick := time.NewTicker(every)
		defer tick.Stop()
		before := r.crowd.Counts()
		for {
			select {
			case <-end:
				return
			case <-tick.C:
			}
			now := r.crowd.Counts()
			r.tell("%d acknowledged (%.0f/s), %d refused, %d unknown, %d sent again, %d frames; broken: %s",
				now.Done, float64(now.Done-before.Done)/every.Seconds(), now.Refused, now.Unknown, now.Again, now.Frames, r.brokenNow())
			before = now
		}
	})
	return func() {
		close(end)
		running.Wait()
	}
}

// watch is told of every fault.
func (r *run) watch(f plan.Fault, over bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if over {
		r.broken = slices.DeleteFunc(r.broken, func(b plan.Fault) bool { return b.N == f.N })
		return
	}
	r.broken = append(r.broken, f)
	r.tell("%d: %s", f.N, f)
}

// brokenNow names what is broken.
func (r *run) brokenNow() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var all []string
	for _, f := range r.broken {
		all = append(all, f.String())
	}
	if len(all) == 0 {
		return "nothing"
	}
	return strings.Join(all, ", ")
}

func (r *run) tell(format string, args ...any) {
	fmt.Fprintf(r.say, "%4.0f s  %s\n", r.record.Elapsed().Seconds(), fmt.Sprintf(format, args...))
}
