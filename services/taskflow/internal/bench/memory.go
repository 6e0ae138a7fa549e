package bench

import (
	"context"
	"time"
)

// spine are the processes that a task passes through on its way to a browser.
var spine = []string{"task-api", "task-api-dapr", "notifier", "notifier-dapr", "broker"}

// idleMemory measures every process after it has had nothing to do for a while.
func (b *session) idleMemory(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(b.o.For / 2):
	}
	b.memory("idle", append(spine, "mcp-tools", "mcp-tools-dapr", "chat-agent", "chat-agent-dapr", "offline-model", "scheduler", "scheduler-dapr")...)
	return nil
}

// cpuSince returns a function that reports how many cores every process used since.
func (b *session) cpuSince() func(when string) {
	names := append([]string{"postgres"}, spine...)
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

// memory reports the resident memory of processes.
func (b *session) memory(when string, names ...string) {
	for _, name := range names {
		b.report.add("memory of "+name+", "+when, rss(b.stack.Pid(name)), "MiB")
	}
}
