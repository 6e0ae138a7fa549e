// Package faults breaks parts of a running suite as a plan says, and mends them. It owns what is broken: after Mend
// nothing is. It refuses to choose.
package faults

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/taskflow-suite/taskflow/pkg/stack"

	"github.com/taskflow-suite/taskflow/services/e2e/chaos/internal/plan"
	"github.com/taskflow-suite/taskflow/services/e2e/chaos/internal/record"
)

// mending is how long it may take to end a fault. A broker is filled again only when the database, which may be broken too,
// answers.
const mending = 2 * time.Minute

// Injector breaks parts of one suite.
type Injector struct {
	Stack  *stack.Stack
	Record *record.Writer
	Disk   *Disk  // nil where it cannot be filled
	Clock  *Clock // nil where it cannot be set wrong
	// Refill brings a broker that lost everything, and does not run, back to what it was, as an operator does.
	Refill func(context.Context) error
	// Watch is told of every fault when it begins and when it is over.
	Watch func(f plan.Fault, over bool)

	mu     sync.Mutex
	delays map[string]func()
}

// Run breaks what is planned, each fault at its time, and returns when all of them are over. Its error is of faults that
// could not be made or mended: the run then proves nothing.
func (i *Injector) Run(ctx context.Context, faults []plan.Fault) error {
	errs := make([]error, len(faults))
	var all sync.WaitGroup
	for n, f := range faults {
		all.Go(func() {
			if wait(ctx, f.At-i.Record.Elapsed()) {
				errs[n] = i.one(ctx, f)
			}
		})
	}
	all.Wait()
	return errors.Join(errs...)
}

// one makes one fault, waits, and mends it, also when ctx ends before.
func (i *Injector) one(ctx context.Context, f plan.Fault) error {
	i.Record.Add(record.Line{Fault: &record.Fault{Fault: f}})
	i.Watch(f, false)
	defer i.Watch(f, true)
	err := i.breaks(ctx, f)
	if err == nil {
		wait(ctx, f.For)
	}
	mending, cancel := context.WithTimeout(context.WithoutCancel(ctx), mending)
	defer cancel()
	err = errors.Join(err, i.mends(mending, f))
	over := record.Fault{Fault: f, Over: true}
	if err != nil {
		err = fmt.Errorf("fault %d, %s: %w", f.N, f, err)
		over.Error = err.Error()
	}
	i.Record.Add(record.Line{Fault: &over})
	return err
}

func (i *Injector) breaks(ctx context.Context, f plan.Fault) error {
	switch f.Kind {
	case plan.Kill:
		return i.Stack.Kill(f.Part)
	case plan.Freeze:
		if i.Stack.Pid(f.Part) == 0 {
			return nil
		}
		return i.Stack.Freeze(f.Part)
	case plan.Cut, plan.Loss, plan.Delay:
		return i.network(ctx, f)
	case plan.Full:
		return i.Disk.Fill()
	case plan.Restart:
		return i.Stack.Terminate(ctx, f.Part)
	case plan.Amnesia:
		if err := i.Stack.Kill(f.Part); err != nil {
			return err
		}
		return i.Stack.DropBroker()
	case plan.Clock:
		return i.Clock.Set(time.Duration(f.Amount) * time.Second)
	default:
		return errors.New("nobody knows how to make this fault")
	}
}

func (i *Injector) mends(ctx context.Context, f plan.Fault) error {
	switch f.Kind {
	case plan.Kill, plan.Restart:
		return i.start(f.Part)
	case plan.Freeze:
		if i.Stack.Pid(f.Part) == 0 {
			return nil // the broker was filled again meanwhile, for which sidecars are started anew
		}
		return i.Stack.Thaw(f.Part)
	case plan.Cut, plan.Loss, plan.Delay:
		return i.unnetwork(ctx, f)
	case plan.Full:
		return i.Disk.Empty()
	case plan.Amnesia:
		return i.Refill(ctx)
	case plan.Clock:
		return i.Clock.Set(0)
	default:
		return nil
	}
}

// start starts a part, if nobody else has.
func (i *Injector) start(part string) error {
	err := i.Stack.Start(part)
	if i.Stack.Pid(part) != 0 {
		return nil
	}
	return err
}

// wait reports whether the time passed before ctx ended.
func wait(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
