package bench

import (
	"context"
	"fmt"
	"time"
)

const (
	windows = 20 // users with a window open
	clients = 64 // requests under way at once, at most
)

// latency measures how long after the 201 a browser has the frame, at a steady rate.
func (b *session) latency(ctx context.Context) error {
	w, err := b.watch(ctx, "latency", windows, clients)
	if err != nil {
		return err
	}
	defer w.stop()
	if _, err := w.create(ctx, 8, 100, 3*time.Second); err != nil { // warm up
		return err
	}
	if err := w.settle(ctx, 30*time.Second); err != nil {
		return err
	}
	for _, rate := range []float64{100, 500, 1000} {
		w.take()
		used := b.cpuSince()
		l, err := w.create(ctx, clients, rate, b.o.For)
		if err != nil {
			return err
		}
		used(fmt.Sprintf("at %.0f tasks/s", rate))
		if err := w.settle(ctx, time.Minute); err != nil {
			return err
		}
		took := w.take()
		about := fmt.Sprintf("REST 201 → frame at %.0f tasks/s", rate)
		b.report.add(about+", reached", float64(l.created)/l.took.Seconds(), "tasks/s")
		b.report.time(about+", p50", quantile(took, 0.50))
		b.report.time(about+", p99", quantile(took, 0.99))
		b.report.time(fmt.Sprintf("POST answered at %.0f tasks/s, p50", rate), quantile(l.request, 0.50))
		b.report.time(fmt.Sprintf("POST answered at %.0f tasks/s, p99", rate), quantile(l.request, 0.99))
	}
	b.memory("after 1,000 tasks/s", spine...)
	return w.broken()
}

// rate finds the highest rate of creates that reaches browsers without a growing backlog: as fast as answers come, then
// slower until what is left over at the end is gone within a second.
func (b *session) rate(ctx context.Context) error {
	w, err := b.watch(ctx, "rate", windows, clients)
	if err != nil {
		return err
	}
	defer w.stop()
	perSecond := 0.0
	for try := 0; ; try++ {
		w.take()
		l, err := w.create(ctx, clients, perSecond, b.o.For)
		if err != nil {
			return err
		}
		reached := float64(l.created) / l.took.Seconds()
		left := w.missing()
		ended := time.Now()
		if err := w.settle(ctx, 2*time.Minute); err != nil {
			return err
		}
		drained := time.Since(ended)
		if try == 0 {
			b.report.add("creates answered, as fast as they go", reached, "tasks/s")
		}
		if drained <= time.Second || try == 8 {
			took := w.take()
			b.report.add("creates sustained end to end", reached, "tasks/s")
			b.report.add("  frames still to come at the end of it", float64(left), "")
			b.report.time("  REST 201 → frame at that rate, p50", quantile(took, 0.50))
			b.report.time("  REST 201 → frame at that rate, p99", quantile(took, 0.99))
			b.sustained = reached
			return w.broken()
		}
		// What was delivered in the whole time is what can be sustained.
		perSecond = min(reached*0.93, float64(l.created)/(l.took+drained).Seconds())
	}
}
