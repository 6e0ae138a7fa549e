package sidecar_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/taskflow-suite/taskflow/pkg/event"
	"github.com/taskflow-suite/taskflow/pkg/sidecar"
	"github.com/taskflow-suite/taskflow/pkg/testkit"
	"github.com/taskflow-suite/taskflow/proto"
)

// BenchmarkFanOut compares delivery one by one with delivery in batches, through real sidecars and a broker: the rate at
// which a backlog of b.N events arrives, and, for events that come at a pace, their age on arrival.
func BenchmarkFanOut(b *testing.B) {
	for name, bulk := range map[string]*sidecar.Bulk{
		"one by one": nil, "batches of 100 in 2 ms": {Messages: 100, Wait: 2 * time.Millisecond},
		"batches of 100 in 5 ms": {Messages: 100, Wait: 5 * time.Millisecond},
	} {
		b.Run("backlog/"+name, func(b *testing.B) { benchmarkBacklog(b, bulk) })
		b.Run("1000 per second/"+name, func(b *testing.B) { benchmarkPaced(b, bulk, 1000) })
	}
}

func benchmarkReplicas(b *testing.B, bulk *sidecar.Bulk, handle sidecar.Handler) event.Bus {
	br := broker(b)
	var probe *sidecar.Probe
	start(b, replicaOptions{
		SidecarOptions: testkit.SidecarOptions{App: proto.Notifier, Broker: br},
		subscribe: func(d sidecar.Dapr, bus event.Bus) []sidecar.Subscription {
			probe = d.NewProbe(bus)
			tasks := d.FanOut(proto.Tasks, handle)
			tasks.Bulk = bulk
			return []sidecar.Subscription{tasks, probe.Subscription()}
		},
	})
	background(b, probe.Run)
	if err := probe.Wait(within(b, patience)); err != nil {
		b.Fatal(err)
	}
	return start(b, replicaOptions{SidecarOptions: testkit.SidecarOptions{App: proto.TaskAPI, Broker: br}})
}

func benchmarkBacklog(b *testing.B, bulk *sidecar.Bulk) {
	arrived := make(chan struct{}, 1000)
	bus := benchmarkReplicas(b, bulk, func(context.Context, sidecar.Delivery) error {
		arrived <- struct{}{}
		return nil
	})
	messages := make([]event.Message, b.N)
	for i := range messages {
		messages[i] = message(fmt.Sprint("u", i%100), i/100+1)
	}
	b.ResetTimer()
	sent := make(chan error, 1)
	go func() { sent <- bus.Publish(within(b, 10*patience), proto.Tasks, messages) }()
	for range messages {
		next(b, arrived, "an event")
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
	if err := next(b, sent, "the end of publishing"); err != nil {
		b.Error(err)
	}
}

func benchmarkPaced(b *testing.B, bulk *sidecar.Bulk, perSecond int) {
	ages := make(chan time.Duration, b.N)
	bus := benchmarkReplicas(b, bulk, func(_ context.Context, d sidecar.Delivery) error {
		e, err := event.Decode(d.Data)
		ages <- time.Since(e.Timestamp.Time)
		return err
	})
	b.ResetTimer()
	// Ten at a time, as the outbox relay collects what was written meanwhile.
	const batch = 10
	tick := time.NewTicker(time.Second * batch / time.Duration(perSecond))
	defer tick.Stop()
	for sent := 0; sent < b.N; {
		<-tick.C
		var messages []event.Message
		for ; len(messages) < batch && sent < b.N; sent++ {
			messages = append(messages, message(fmt.Sprint("u", sent%100), sent/100+1))
		}
		publish(b, bus, proto.Tasks, messages...)
	}
	all := make([]time.Duration, 0, b.N)
	for range b.N {
		all = append(all, next(b, ages, "an event"))
	}
	slices.Sort(all)
	b.ReportMetric(float64(all[len(all)/2].Microseconds())/1000, "ms-p50")
	b.ReportMetric(float64(all[len(all)*99/100].Microseconds())/1000, "ms-p99")
}
