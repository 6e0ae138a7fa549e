package app

import (
	"context"

	"github.com/taskflow-suite/taskflow/pkg/event"
	"github.com/taskflow-suite/taskflow/pkg/kafka"
	"github.com/taskflow-suite/taskflow/pkg/process"
	"github.com/taskflow-suite/taskflow/pkg/sidecar"
	"github.com/taskflow-suite/taskflow/proto"
)

// source is where events come from.
type source struct {
	run func(context.Context) error
	// check is errs.Unavailable while events would not come. Through the sidecar it is known from a probe that was
	// published and came back; straight from the brokers, from where the topics ended when reading began.
	check func(context.Context) error
}

// subscribe hands every event of the router's topics to it, through the sidecar or, without one, from the brokers.
// missed is called when some may have passed by.
func subscribe(settings Config, client *sidecar.Client, router *event.Router, missed func()) (source, error) {
	if client == nil {
		direct := kafka.NewFanOut(settings.Base.Bus, proto.Notifier, router)
		return source{direct.Run, direct.Check}, nil
	}
	probe := settings.Base.Dapr.NewProbe(client)
	probe.OnReturn(missed)
	callback, err := sidecar.NewServer(sidecar.ServerOptions{
		Addr: settings.Base.Dapr.AppAddr, Token: settings.Base.Dapr.AppToken, Open: settings.Base.Dapr.Open,
		Subscriptions: []sidecar.Subscription{
			settings.Base.Dapr.FanOut(proto.Tasks, sidecar.Routed(router)),
			settings.Base.Dapr.FanOut(proto.Users, sidecar.Routed(router)),
			probe.Subscription(), // last, see there
		},
	})
	if err != nil {
		return source{}, err
	}
	return source{
		run:   func(ctx context.Context) error { return process.Together(ctx, callback.Run, probe.Run) },
		check: probe.Check,
	}, nil
}
