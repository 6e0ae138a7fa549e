// Package rest is the HTTP house every service lives in: errors as problem+json, correlation ids, one log line and one
// measurement per request, limits of size, time and rate, who may call, health, and a server that stops gracefully.
//
// It owns what all services answer alike and refuses to know any of their routes or types. It trusts no header about
// who the client is: addresses come from the connection, users from verified tokens.
package rest

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"

	"github.com/taskflow-suite/taskflow/pkg/telemetry"
)

// Config is the settings of this package, to be embedded in a service's.
type Config struct {
	Addr      string        `env:"HTTP_ADDR" default:":8080" doc:"where HTTP is served: the API, /healthz, /readyz and /metrics"`
	Origins   []string      `env:"CORS_ORIGINS" doc:"origins whose pages may call with credentials, such as https://app.example.org"`
	Timeout   time.Duration `env:"HTTP_TIMEOUT" default:"15s" doc:"longest request; later it is answered with 503"`
	BodyLimit int           `env:"HTTP_BODY_LIMIT" default:"1048576" doc:"largest request body in bytes; beyond it is 413"`
	AtOnce    int           `env:"HTTP_MAX_REQUESTS" default:"256" doc:"requests worked on at once, without streams; beyond it is 503"`
	Rate      int           `env:"RATE_LIMIT" default:"100" doc:"requests per second of one user over time; beyond it is 429"`
	Burst     int           `env:"RATE_BURST" default:"200" doc:"requests of one user at once"`
	BehindTLS bool          `env:"BEHIND_TLS" default:"false" doc:"a proxy in front ends TLS and sets X-Forwarded-Proto; needed for Strict-Transport-Security"`
}

// Check says what is wrong with the settings.
func (c Config) Check() error {
	var wrong []error
	for _, origin := range c.Origins {
		u, err := url.Parse(origin)
		if err != nil || u.Host == "" || u.Scheme == "" || u.Scheme+"://"+u.Host != origin {
			wrong = append(wrong, fmt.Errorf("CORS_ORIGINS has %q: expected origins such as https://app.example.org, without a path and never *", origin))
		}
	}
	for name, value := range map[string]int{"HTTP_BODY_LIMIT": c.BodyLimit, "HTTP_MAX_REQUESTS": c.AtOnce, "RATE_LIMIT": c.Rate, "RATE_BURST": c.Burst} {
		if value < 1 {
			wrong = append(wrong, fmt.Errorf("%s is %d: expected at least 1", name, value))
		}
	}
	if c.Timeout < time.Millisecond {
		wrong = append(wrong, fmt.Errorf("HTTP_TIMEOUT is %v: expected at least 1ms", c.Timeout))
	}
	return errors.Join(wrong...)
}

// Options is how a service's house differs from the others'. A zero number is the default of Config.
type Options struct {
	Config
	// Untimed are the templates of routes that may take as long as they like, as they were registered: streams and
	// WebSockets.
	Untimed []string
	// Large are the limits in bytes on the bodies of routes, by their templates, that may be larger than BodyLimit.
	Large map[string]int
	// Registry gets the metrics; nil means telemetry.Metrics().
	Registry prometheus.Registerer
}

// New makes an echo that observes every request, turns every error and panic into problem+json and enforces the limits
// of size and time. Users and rates are up to the routes: see RequireUser and RateLimit. It panics if the options are
// not right, for Config.Check says so before.
func New(o Options) *echo.Echo {
	o.Timeout, o.BodyLimit = withDefault(o.Timeout, 15*time.Second), withDefault(o.BodyLimit, 1<<20)
	o.AtOnce = withDefault(o.AtOnce, 256)
	o.Rate, o.Burst = withDefault(o.Rate, 100), withDefault(o.Burst, 200)
	if err := o.Check(); err != nil {
		panic("rest: " + err.Error())
	}
	if o.Registry == nil {
		o.Registry = telemetry.Metrics()
	}
	foreign := http.NewCrossOriginProtection()
	for _, origin := range o.Origins {
		if err := foreign.AddTrustedOrigin(origin); err != nil {
			panic("rest: " + err.Error())
		}
	}
	e := echo.New()
	e.HideBanner, e.HidePort = true, true
	e.IPExtractor = echo.ExtractIPDirect()
	e.HTTPErrorHandler = func(err error, c echo.Context) {
		if !c.Response().Committed {
			WriteError(c.Response(), c.Request(), err)
		} else {
			report(c.Request().Context(), err, problemOf(c.Request().Context(), err))
		}
	}
	h := &house{
		Options: o, metrics: newMetrics(o.Registry), foreign: foreign, cors: newCORS(o.Origins),
		quiet: []string{"/healthz", "/readyz", "/metrics"},
		crowd: crowd{limit: int64(o.AtOnce)},
	}
	if telemetry.Tracing() {
		loud := otelhttp.WithFilter(func(r *http.Request) bool { return !slices.Contains(h.quiet, r.URL.Path) })
		e.Use(nameSpan, echo.WrapMiddleware(otelhttp.NewMiddleware("http", loud)))
	}
	e.Use(h.middleware)
	return e
}

func withDefault[T comparable](value, fallback T) T {
	var zero T
	if value == zero {
		return fallback
	}
	return value
}

// nameSpan tells otelhttp the route's template: a span named after the path would make a name per task.
func nameSpan(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		c.Request().Pattern = c.Path()
		return next(c)
	}
}
