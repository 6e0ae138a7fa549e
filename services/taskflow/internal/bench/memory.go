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

// cpuSince returns a function that reports how many cores every process used since.
func (b *session) cpuSince() func(when string) {
	names := append([]string{"postgres"}, processes...)
	began, before := time.Now(), map[string]float64{}
	for _, name := range names {
		before[name] = cpu(b.stack.Pid(name))
	}
	return func(when string) {
		for _, name := range names {
			used := cpu(b.stack.Pid(name)) - before[name]
			b.report.add("cores used by "+name+", "+when, used/time.Since(began).Seconds(), "")
		}
	}
}

// memory reports the resident memory of every process.
func (b *session) memory(when string) {
	for _, name := range processes {
		b.report.add("memory of "+name+", "+when, rss(b.stack.Pid(name)), "MiB")
	}
}
