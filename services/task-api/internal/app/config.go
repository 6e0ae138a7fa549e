package app

import (
	"context"
	"slices"
	"time"

	"github.com/taskflow-suite/taskflow/pkg/auth"
	"github.com/taskflow-suite/taskflow/pkg/config"
	"github.com/taskflow-suite/taskflow/pkg/kafka"
	"github.com/taskflow-suite/taskflow/pkg/postgres"
	"github.com/taskflow-suite/taskflow/pkg/rest"
	"github.com/taskflow-suite/taskflow/pkg/sidecar"
	"github.com/taskflow-suite/taskflow/pkg/telemetry"
)

// Config is everything task-api is told by its environment.
type Config struct {
	HTTP     rest.Config
	Auth     auth.Config
	Database postgres.Config
	Migrate  bool `env:"MIGRATE" default:"false" doc:"bring the database up to date at the start; a deployment does that once, ahead of the service, with taskflow migrate"`
	First    first
}

// first is what must be known before the secret store can be asked for the rest.
type first struct {
	Bus      kafka.Config
	Dapr     sidecar.Dapr
	Patience time.Duration `env:"SECRET_PATIENCE" default:"15s" doc:"how long the start waits for the sidecar's secret store before it makes do with the environment"`
	Log      telemetry.Config
}

type lookup = func(string) (string, bool)

func loadFirst(env lookup) (first, error) {
	f, err := config.Load[first](env)
	if err != nil {
		// All mistakes are reported together, not the first few first.
		if _, all := config.Load[Config](env); all != nil {
			return first{}, all
		}
	}
	return f, err
}

// load reads the settings: secrets from the secret store of the sidecar, where there is one (client is not nil),
// everything else, and what the store does not have, from the environment.
func load(ctx context.Context, client *sidecar.Client, patience time.Duration, env lookup) (Config, error) {
	if client == nil {
		return config.Load[Config](env)
	}
	// Dapr gives its own two tokens to the service in its environment.
	own := config.SecretNames[sidecar.Dapr]()
	names := slices.DeleteFunc(config.SecretNames[Config](), func(name string) bool { return slices.Contains(own, name) })
	secrets := client.Secrets(env)
	secrets.Patience = patience
	return config.Load[Config](secrets.Lookup(ctx, names...))
}
