// Package service is how every service of the suite begins and ends: first the settings that say how to reach the
// sidecar, then logs and traces, then the sidecar and through it the secrets, then the settings whole. What a service does
// in between is its own.
package service

import (
	"context"
	"slices"
	"time"

	"github.com/taskflow-suite/taskflow/pkg/config"
	"github.com/taskflow-suite/taskflow/pkg/kafka"
	"github.com/taskflow-suite/taskflow/pkg/sidecar"
	"github.com/taskflow-suite/taskflow/pkg/telemetry"
)

// Base is what must be known before the secret store can be asked for the rest. Every service has it in its settings.
type Base struct {
	Bus      kafka.Config
	Dapr     sidecar.Dapr
	Patience time.Duration `env:"SECRET_PATIENCE" default:"15s" doc:"how long the start waits for the sidecar's secret store before it makes do with the environment"`
	Log      telemetry.Config
}

// Lookup reads a variable of the environment, as os.LookupEnv does.
type Lookup = func(string) (string, bool)

// flushDeadline bounds the sending of the last spans.
const flushDeadline = 3 * time.Second

// Run reads the settings C of the service called name, a struct that holds a Base, and runs it until it returns. The client
// is nil where the service has no sidecar (BUS=kafka); it is closed at the end. All mistakes in the settings are
// reported together.
func Run[C any](ctx context.Context, name string, env Lookup, serve func(context.Context, C, *sidecar.Client) error) (err error) {
	base, err := config.Load[Base](env)
	if err != nil {
		if _, all := config.Load[C](env); all != nil {
			return all
		}
		return err
	}
	stop, err := telemetry.Start(ctx, name, base.Log.LogLevel)
	if err != nil {
		return err
	}
	defer func() {
		// ctx has ended by now; what it carries has not.
		flush, cancel := context.WithTimeout(context.WithoutCancel(ctx), flushDeadline)
		defer cancel()
		if failed := stop(flush); err == nil {
			err = failed
		}
	}()
	if base.Bus.Direct() {
		settings, err := config.Load[C](env)
		if err != nil {
			return err
		}
		return serve(ctx, settings, nil)
	}
	client, err := sidecar.Dial(base.Dapr)
	if err != nil {
		return err
	}
	defer client.Close()
	settings, err := load[C](ctx, client, base.Patience, env)
	if err != nil {
		return err
	}
	return serve(ctx, settings, client)
}

// load reads secrets from the sidecar's secret store; everything else, and what the store does not have, from the
// environment.
func load[C any](ctx context.Context, client *sidecar.Client, patience time.Duration, env Lookup) (C, error) {
	// Dapr gives its own two tokens to the service in its environment.
	own := config.SecretNames[sidecar.Dapr]()
	// And who has a sidecar needs no login of its own at the brokers.
	own = append(own, config.SecretNames[kafka.Config]()...)
	names := slices.DeleteFunc(config.SecretNames[C](), func(name string) bool { return slices.Contains(own, name) })
	secrets := client.Secrets(env)
	secrets.Patience = patience
	return config.Load[C](secrets.Lookup(ctx, names...))
}
