package kafka

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/event"
	"github.com/taskflow-suite/taskflow/pkg/telemetry"
	contract "github.com/taskflow-suite/taskflow/proto"
)

const (
	// handlerDeadline is how long a handler may take.
	handlerDeadline = 4 * time.Second
	// firstPause and longestPause are between attempts to learn where the topics end.
	firstPause   = 100 * time.Millisecond
	longestPause = 5 * time.Second
)

// FanOut delivers every event of a router's topics to the router, in the order of their partitions, from the moment it
// has started: one consumer of its own that leaves nothing behind on the brokers. A handler's error is logged and
// passed over, because a fan-out subscriber fills what it missed from the event log.
type FanOut struct {
	config  Config
	name    string
	router  *event.Router
	started chan struct{}
	client  atomic.Pointer[kgo.Client] // while Run runs
}

// NewFanOut makes a FanOut that reads as name, a service's name, once Run is called.
func NewFanOut(c Config, name string, router *event.Router) *FanOut {
	return &FanOut{config: c, name: name, router: router, started: make(chan struct{})}
}

// Started is closed once every event published from then on will be delivered.
func (f *FanOut) Started() <-chan struct{} { return f.started }

// Check is the readiness: errs.Unavailable until the FanOut has started, and while no broker answers.
func (f *FanOut) Check(ctx context.Context) error {
	select {
	case <-f.started:
	default:
		return errs.New(errs.Unavailable, "the topics are not read yet")
	}
	client := f.client.Load()
	if client == nil {
		return errs.New(errs.Unavailable, "the topics are not read any more")
	}
	return ping(ctx, client, f.config.Access)
}

// Run reads until ctx ends. Brokers and topics may come later and go away.
func (f *FanOut) Run(ctx context.Context) error {
	client, err := client(f.config, f.name)
	if err != nil {
		return err
	}
	defer client.Close()
	f.client.Store(client)
	defer f.client.Store(nil)

	from, err := f.ends(ctx, client)
	if err != nil {
		return nil // ctx has ended
	}
	// From where the topics ended, and not "from the end", which the client would look for some time later.
	client.AddConsumePartitions(from)
	close(f.started)
	for {
		fetches := client.PollFetches(ctx)
		if ctx.Err() != nil {
			return nil
		}
		fetches.EachError(func(topic string, _ int32, err error) {
			slog.WarnContext(ctx, "reading a topic failed; it is tried again", "topic", topic, "error", err)
		})
		fetches.EachRecord(func(r *kgo.Record) { f.deliver(ctx, r) })
	}
}

// ends waits until the brokers say where the router's topics end. Its only error is that ctx ended.
func (f *FanOut) ends(ctx context.Context, client *kgo.Client) (map[string]map[int32]kgo.Offset, error) {
	for pause := firstPause; ; pause = min(2*pause, longestPause) {
		from, err := f.tryEnds(ctx, client)
		if err == nil {
			return from, nil
		}
		if ctx.Err() == nil {
			slog.WarnContext(ctx, "the topics cannot be read yet", "error", err)
		}
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil, ctx.Err()
		case <-timer.C:
		}
	}
}

func (f *FanOut) tryEnds(ctx context.Context, client *kgo.Client) (map[string]map[int32]kgo.Offset, error) {
	ctx, cancel := context.WithTimeout(ctx, longestPause)
	defer cancel()
	var names []string
	for _, t := range f.router.Topics() {
		names = append(names, string(t))
	}
	ends, err := kadm.NewClient(client).ListEndOffsets(ctx, names...)
	if err != nil {
		return nil, err
	}
	if err := ends.Error(); err != nil {
		return nil, err
	}
	from := map[string]map[int32]kgo.Offset{}
	for _, name := range names {
		if len(ends[name]) == 0 {
			return nil, errs.New(errs.NotFound, "there is no topic %s", name)
		}
		from[name] = map[int32]kgo.Offset{}
		for partition, end := range ends[name] {
			from[name][partition] = kgo.NewOffset().At(end.Offset)
		}
	}
	return from, nil
}

func (f *FanOut) deliver(ctx context.Context, r *kgo.Record) {
	e, trace, err := decode(r.Value)
	ctx = telemetry.WithTraceparent(ctx, trace)
	if err == nil {
		ctx = telemetry.WithUser(telemetry.WithCorrelation(ctx, e.CorrelationID), e.UserID)
		handling, span := telemetry.Begin(ctx, telemetry.Takes, "process "+r.Topic, "messaging.system", "kafka",
			"messaging.destination.name", r.Topic, "messaging.message.id", e.ID, "taskflow.event_type", e.Type)
		err = f.handle(handling, event.Meta{Envelope: e, Topic: contract.Topic(r.Topic)})
		span.End(err)
	}
	if err == nil {
		telemetry.Handled(r.Topic, e.Timestamp.Time)
		return
	}
	telemetry.Failed(telemetry.Events, errs.KindOf(err).String())
	reason := any(err)
	if event.VerdictOf(err) == event.Drop {
		// Without its cause: a decoder's error quotes what it could not read, and events hold people's texts.
		reason = errs.Text(err)
	}
	slog.WarnContext(ctx, "event not handled", "event_type", e.Type, "status", event.Drop.String(), "event_id", e.ID,
		"topic", r.Topic, "error", reason)
}

// handle makes a panic an error like any other, so that one event does not end the service for all.
func (f *FanOut) handle(ctx context.Context, m event.Meta) (err error) {
	ctx, cancel := context.WithTimeout(ctx, handlerDeadline)
	defer cancel()
	defer func() {
		if p := recover(); p != nil {
			slog.ErrorContext(ctx, "event handler panicked", "event_type", m.Type, "event_id", m.ID, "stack", string(debug.Stack()))
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return f.router.Handle(ctx, m)
}
