package bench

import (
	"context"
	"path/filepath"
	"strings"
	"time"

	"github.com/taskflow-suite/taskflow/pkg/stack"
)

// direct measures the same path without sidecars: the same services on the same Postgres and broker, with the bus that
// speaks the Kafka protocol itself. It is the limit that the suite with sidecars is compared with.
func (b *session) direct(ctx context.Context) error {
	for _, name := range []string{"task-api", "notifier"} {
		if err := b.stack.Kill(name); err != nil {
			return err
		}
		if err := b.stack.Kill(name + "-dapr"); err != nil {
			return err
		}
	}
	o := b.o.Stack
	o.Dir = filepath.Join(b.stack.Dir(), "direct")
	o.Ports = stack.Ports{Random: true}
	o.Roles = nil // those of the stack are there, and keep their passwords
	o.DatabaseURL, o.KafkaBrokers = b.stack.DatabaseURL(), b.stack.Brokers()
	o.Services = nil
	for _, s := range b.o.Stack.Services {
		if s.App != "task-api" && s.App != "notifier" {
			continue
		}
		s.NoSidecar = true
		s.Env = append(append([]string{}, s.Env...), "BUS=kafka", "KAFKA_BROKERS="+b.stack.Brokers())
		o.Services = append(o.Services, s)
	}
	s, err := stack.Start(ctx, o)
	if err != nil {
		return err
	}
	defer func() {
		stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
		defer cancel()
		_ = s.Stop(stopping)
	}()

	limit := &session{o: b.o, stack: s, report: &Report{}}
	if err := limit.rate(ctx); err != nil {
		return err
	}
	for _, f := range limit.report.Figures {
		b.report.add("without Dapr: "+strings.TrimSpace(f.Name), f.Value, f.Unit)
	}
	if b.sustained > 0 && limit.sustained > 0 {
		b.report.add("create rate with Dapr : without", b.sustained/limit.sustained, "")
	}
	return nil
}
