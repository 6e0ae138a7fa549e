package model

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/sony/gobreaker/v2"
)

// Client is a Model behind an HTTP endpoint.
type Client struct {
	config  Config
	chat    openai.ChatCompletionService
	http    *http.Client
	circuit *gobreaker.CircuitBreaker[Reply]
}

var _ Model = (*Client)(nil)

// maxConnections bounds the connections to the model's endpoint that are kept open for later questions.
const maxConnections = 64

// New makes a client. Nothing is asked before Ask.
func New(c Config) *Client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConns, transport.MaxIdleConnsPerHost = maxConnections, maxConnections
	return newClient(c, transport)
}

func newClient(c Config, transport http.RoundTripper) *Client {
	client := &Client{config: c, http: &http.Client{Transport: transport}}
	// The service is made without openai.NewClient, which would read further settings from the environment.
	options := []option.RequestOption{
		option.WithHTTPClient(client.http), option.WithMaxRetries(0), option.WithBaseURL(base(c.BaseURL)),
	}
	if !c.Key.IsZero() {
		options = append(options, option.WithAPIKey(c.Key.Reveal()))
	}
	client.chat = openai.NewChatCompletionService(options...)
	client.circuit = gobreaker.NewCircuitBreaker[Reply](gobreaker.Settings{
		MaxRequests: 1, Timeout: c.Pause,
		ReadyToTrip: func(n gobreaker.Counts) bool { return int64(n.ConsecutiveFailures) >= int64(c.Failures) },
		IsExcluded: func(err error) bool {
			fault, ok := errors.AsType[*Fault](err)
			return err != nil && (!ok || !fault.blamesModel())
		},
		OnStateChange: func(_ string, from, to gobreaker.State) {
			slog.Warn("the circuit to the model has changed", "from", from.String(), "to", to.String())
		},
	})
	return client
}

func base(u *url.URL) string {
	if u == nil {
		return "https://api.openai.com/v1"
	}
	return u.String()
}

// Name implements Model.
func (c *Client) Name() string { return c.config.Model }

// Close ends the connections that are kept open.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Ask implements Model. Nothing is tried again once onText has been told a piece, because pieces cannot be taken back.
func (c *Client) Ask(ctx context.Context, q Question, onText func(string)) (Reply, error) {
	params := c.params(q, onText != nil)
	told := false
	tell := onText
	if onText != nil {
		tell = func(piece string) {
			told = true
			onText(piece)
		}
	}
	limited, cancel := context.WithTimeout(ctx, c.config.Timeout)
	defer cancel()
	for try := 0; ; try++ {
		reply, err := c.circuit.Execute(func() (Reply, error) { return c.try(ctx, limited, params, tell) })
		if err == nil {
			return reply, nil
		}
		fault, ok := errors.AsType[*Fault](err)
		switch {
		case errors.Is(err, gobreaker.ErrOpenState), errors.Is(err, gobreaker.ErrTooManyRequests):
			return Reply{}, unavailable(&Fault{Kind: Down})
		case !ok:
			return Reply{}, err // ctx ended
		case told || !fault.passes() || try >= c.config.Retries || fault.after > c.config.RetryAfter:
			return Reply{}, unavailable(fault)
		}
		pause := time.NewTimer(max(fault.after, backoff(try)))
		select {
		case <-pause.C:
		case <-limited.Done():
			pause.Stop()
			if err := ctx.Err(); err != nil {
				return Reply{}, err
			}
			return Reply{}, unavailable(fault)
		}
	}
}

// backoff is 0.25 to 0.5 s before the first retry and doubles up to 4 to 8 s: full jitter over its upper half, so that
// those who failed together do not come back together.
func backoff(try int) time.Duration {
	top := 500 * time.Millisecond << min(try, 4)
	return top/2 + rand.N(top/2) //nolint:gosec // jitter needs no secrecy
}

// try asks once. Its error is a *Fault, or ctx's.
func (c *Client) try(ctx, limited context.Context, params openai.ChatCompletionNewParams, onText func(string)) (Reply, error) {
	trying, cancel := context.WithCancel(limited)
	defer cancel()
	watch := watchdog{after: c.config.Silence, timer: time.AfterFunc(c.config.Silence, cancel)}
	defer watch.timer.Stop()

	var seen response
	reply, err := c.read(trying, params, &seen, onText, watch)
	if err == nil {
		return reply, nil
	}
	switch fault, typed := errors.AsType[*Fault](err); {
	case ctx.Err() != nil:
		return Reply{}, ctx.Err()
	case trying.Err() != nil:
		return Reply{}, &Fault{Kind: Silent, Status: seen.status}
	case typed:
		fault.Status = seen.status
		return Reply{}, fault
	default:
		return Reply{}, seen.fault(err)
	}
}

// watchdog ends a try that has shown no sign of life for a while.
type watchdog struct {
	after time.Duration
	timer *time.Timer
}

func (w watchdog) alive() { w.timer.Reset(w.after) }

// response is what is noted of an HTTP response, whatever the SDK makes of it.
type response struct {
	status int
	after  time.Duration
}

// note is a middleware that notes the response and bounds its body.
func (r *response) note(req *http.Request, next option.MiddlewareNext) (*http.Response, error) {
	res, err := next(req)
	if res != nil {
		r.status, r.after = res.StatusCode, retryAfter(res.Header.Get("Retry-After"), time.Now())
		if res.Body != nil {
			res.Body = http.MaxBytesReader(nil, res.Body, maxBody)
		}
	}
	return res, err
}

// fault classifies an error of the SDK by what was noted, because the error's own text has what the server wrote.
func (r *response) fault(err error) *Fault {
	f := &Fault{Status: r.status, after: r.after}
	switch {
	case r.status == 0:
		f.Kind, f.Network = Unreachable, network(err)
	case r.status == http.StatusTooManyRequests:
		f.Kind = Busy
	case r.status == http.StatusRequestTimeout || r.status >= 500:
		f.Kind = Failing
	case r.status >= 300:
		f.Kind = Refused
	default:
		f.Kind = Garbage
	}
	return f
}

// network is what the network said, without the URL, which may hold a password.
func network(err error) string {
	if op, ok := errors.AsType[*net.OpError](err); ok {
		return op.Error()
	}
	if u, ok := errors.AsType[*url.Error](err); ok {
		return u.Err.Error()
	}
	return ""
}

// retryAfter reads a Retry-After header (RFC 9110 section 10.2.3); 0 if there is none or it makes no sense.
func retryAfter(header string, now time.Time) time.Duration {
	if seconds, err := strconv.ParseUint(header, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second
	}
	if at, err := http.ParseTime(header); err == nil && at.After(now) {
		return at.Sub(now)
	}
	return 0
}
