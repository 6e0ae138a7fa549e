package storm

import (
	"fmt"
	"testing"
	"time"
)

// Check proves the promise: every task a person was told exists reached each of that person's windows exactly once,
// sequences went up by one, and no window was told of anybody else's task. It waits for what is still on its way.
func Check(t testing.TB, people []*Person, within time.Duration) {
	t.Helper()
	owner := map[string]string{}
	for _, p := range people {
		for id := range p.tasks {
			owner[id] = p.UserID
		}
	}
	if len(owner) == 0 {
		t.Fatal("nobody created a task: the test shows nothing")
	}
	Eventually(t, within, func() error { return missing(people) })
	for _, p := range people {
		for i, w := range p.Windows {
			for _, broken := range w.Broken() {
				t.Errorf("window %d: %s", i, broken)
			}
			w.mu.Lock()
			for id, n := range w.created {
				if n != 1 {
					t.Errorf("window %d of %s was told %d times of task %s", i, p.UserID, n, id)
				}
				if o, known := owner[id]; known && o != p.UserID {
					t.Errorf("window %d of %s was told of a task of %s", i, p.UserID, o)
				}
			}
			if len(w.created) != len(p.tasks) {
				t.Errorf("window %d of %s was told of %d tasks, there are %d", i, p.UserID, len(w.created), len(p.tasks))
			}
			w.mu.Unlock()
		}
	}
}

// missing tells of the first window that does not know every task of its user.
func missing(people []*Person) error {
	for _, p := range people {
		for i, w := range p.Windows {
			lacks := 0
			for id := range p.tasks {
				if w.told(id) == 0 {
					lacks++
				}
			}
			if lacks > 0 {
				return fmt.Errorf("window %d of %s misses %d of %d tasks, is at sequence %d", i, p.UserID, lacks, len(p.tasks), w.Last())
			}
		}
	}
	return nil
}

// Eventually tries until there is no error, and fails with the last one.
func Eventually(t testing.TB, within time.Duration, try func() error) {
	t.Helper()
	deadline := time.After(within)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		err := try()
		if err == nil {
			return
		}
		select {
		case <-deadline:
			t.Fatalf("after %s: %v", within, err)
		case <-tick.C:
		}
	}
}
