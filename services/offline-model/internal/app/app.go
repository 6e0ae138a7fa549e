// Package app is offline-model put together. It depends on nothing: no sidecar, no database, no other service.
package app

import (
	"context"
	"math"
	"net"
	"os"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/taskflow-suite/taskflow/pkg/config"
	"github.com/taskflow-suite/taskflow/pkg/rest"
	"github.com/taskflow-suite/taskflow/pkg/telemetry"
	"github.com/taskflow-suite/taskflow/services/internal/offline"
)

// name is what logs and traces call it.
const name = "offline-model"

// flushDeadline bounds the sending of the last spans.
const flushDeadline = 3 * time.Second

// writing is how long an answer may take beside its delay.
const writing = 15 * time.Second

// Run is offline-model, with the settings of the process's environment, until ctx ends.
func Run(ctx context.Context) error {
	settings, err := config.Load[Config](os.LookupEnv)
	if err != nil {
		return err
	}
	stop, err := telemetry.Start(ctx, name, settings.Log.LogLevel)
	if err != nil {
		return err
	}
	err = serve(ctx, settings, telemetry.Metrics())
	// ctx has ended by now; what it carries has not.
	flush, cancel := context.WithTimeout(context.WithoutCancel(ctx), flushDeadline)
	defer cancel()
	if failed := stop(flush); err == nil {
		err = failed
	}
	return err
}

func serve(ctx context.Context, settings Config, registry prometheus.Registerer) error {
	return rest.Serve(ctx, settings.Addr, house(settings, registry))
}

func serveOn(ctx context.Context, l net.Listener, settings Config, registry prometheus.Registerer) error {
	return rest.ServeOn(ctx, l, house(settings, registry))
}

// house is the routes. The model bounds bodies itself, so that its clients get the error in the shape they know.
func house(settings Config, registry prometheus.Registerer) *echo.Echo {
	e := rest.New(rest.Options{
		Config: rest.Config{Addr: settings.Addr, Timeout: settings.Delay + writing, BodyLimit: math.MaxInt32}, Registry: registry,
	})
	rest.Health(e, nil)
	e.Any("/v1/*", echo.WrapHandler(offline.New(offline.Options{Delay: settings.Delay, BodyLimit: settings.BodyLimit})))
	return e
}
