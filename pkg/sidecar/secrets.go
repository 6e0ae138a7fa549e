package sidecar

import (
	"context"
	"log/slog"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/taskflow-suite/taskflow/pkg/config"
	"github.com/taskflow-suite/taskflow/pkg/errs"
)

// secretPatience is how long the first secret waits for a sidecar that is still starting.
const secretPatience = 15 * time.Second

// storePause is between two questions to a sidecar that has no secret store yet.
const storePause = 100 * time.Millisecond

// noSecretStore is the SECRET_STORE of a service that has none: a variable left empty stands for its default.
const noSecretStore = "none"

// Secrets reads secrets from the sidecar's secret store, and from the environment what the store does not have.
type Secrets struct {
	client *Client
	env    func(string) (string, bool)
	// Patience is how long Lookup waits for the sidecar to answer before it makes do with the environment.
	Patience time.Duration
}

// Secrets makes a reader of the store named in the settings; env is os.LookupEnv.
func (c *Client) Secrets(env func(string) (string, bool)) *Secrets {
	return &Secrets{client: c, env: env, Patience: secretPatience}
}

// Get reads one secret by its name in the environment ("JWT_SECRET"). errs.NotFound if neither the store nor the
// environment has it. A store that does not answer is the same as one that does not have it.
func (s *Secrets) Get(ctx context.Context, name string) (config.Secret, error) {
	value, err := s.fromStore(ctx, name)
	if err == nil && value != "" {
		return config.NewSecret(value), nil
	}
	if value, ok := s.env(name); ok && value != "" {
		return config.NewSecret(value), nil
	}
	return config.Secret{}, errs.Because(err, errs.NotFound, "there is no secret %s", name)
}

func (s *Secrets) fromStore(ctx context.Context, name string) (string, error) {
	settings := s.client.config
	if settings.SecretStore == "" || settings.SecretStore == noSecretStore {
		return "", nil
	}
	object := settings.SecretObject
	if object == "" {
		object = name
	}
	values, err := s.client.dapr.GetSecret(ctx, settings.SecretStore, object, nil)
	if err != nil {
		return "", err
	}
	return values[name], nil
}

// awaited is fromStore with patience for a sidecar that answers before it has its components: it says then that there is
// no secret store. The error of a patience that ended is the last one of the sidecar.
func (s *Secrets) awaited(ctx context.Context, name string) (string, error) {
	for {
		value, err := s.fromStore(ctx, name)
		if status.Code(err) != codes.FailedPrecondition {
			return value, err
		}
		select {
		case <-ctx.Done():
			return "", err
		case <-time.After(storePause):
		}
	}
}

// Lookup reads the named secrets at start-up and answers for them as os.LookupEnv would, so that config.Load finds them
// where they are; all other names are asked of the environment. It waits Patience for a sidecar that is still starting.
func (s *Secrets) Lookup(ctx context.Context, names ...string) func(string) (string, bool) {
	found := map[string]string{}
	patient, cancel := context.WithTimeout(waiting(ctx), s.Patience)
	defer cancel()
	for _, name := range names {
		value, err := s.awaited(patient, name)
		if err != nil {
			slog.WarnContext(ctx, "a secret is read from the environment, the secret store did not give it", "name", name, "error", err)
		}
		if value != "" {
			found[name] = value
		}
	}
	return func(name string) (string, bool) {
		if value, ok := found[name]; ok {
			return value, true
		}
		return s.env(name)
	}
}
