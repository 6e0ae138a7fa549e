package bench

import (
	"context"
	"time"
)

var processes = []string{"task-api", "task-api-dapr", "notifier", "notifier-dapr", "broker"}

// idleMemory measures every process after it has had nothing to do for a while.
func (b *session) idleMemory(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(b.o.For / 2):
	}
	b.memory("idle")
	return nil
}

// memory reports the resident memory of every process.
func (b *session) memory(when string) {
	for _, name := range processes {
		b.report.add("memory of "+name+", "+when, rss(b.stack.Pid(name)), "MiB")
	}
}
