package stack

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// origin is the one address in front of all services.
type origin struct {
	routes []Route
	apps   map[string]*balancer
	units  []backend // for /readyz, in the order of the stack
	proxy  *httputil.ReverseProxy
	client *http.Client // for /readyz
	server *http.Server
	served sync.WaitGroup
}

// backend is one replica of an app.
type backend struct {
	name, app string
	addr      string // host:port
}

func newOrigin(routes []Route, backends []backend, log func(string, ...any)) *origin {
	transport := &http.Transport{
		DialContext:           (&net.Dialer{Timeout: 2 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		MaxIdleConnsPerHost:   256,
		IdleConnTimeout:       60 * time.Second,
		ResponseHeaderTimeout: 2 * time.Minute, // a chat answer without streaming waits for its model
		// The services speak plain HTTP on this machine; a proxy of the environment has no part in it.
		Proxy:              nil,
		DisableCompression: true,
	}
	o := &origin{
		routes: routes, units: backends, apps: map[string]*balancer{},
		client: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 3 * time.Second},
	}
	for _, b := range backends {
		if o.apps[b.app] == nil {
			o.apps[b.app] = &balancer{transport: transport}
		}
		o.apps[b.app].addrs = append(o.apps[b.app].addrs, b.addr)
	}
	o.proxy = &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(&url.URL{Scheme: "http", Host: "replica"}) // the balancer puts the real one
			r.SetXForwarded()                                   // what the client claims is dropped
			r.Out.Host = r.In.Host                              // a WebSocket's Origin is compared with it
		},
		Transport:     o,
		FlushInterval: -1, // server-sent events leave when they come
		ErrorHandler:  o.failed(log),
	}
	o.server = &http.Server{
		Handler:           o,
		ReadHeaderTimeout: 10 * time.Second,
		// Who sends slowly is not waited for, and less long than by the services: it is not they who did not answer.
		ReadTimeout:    25 * time.Second,
		IdleTimeout:    2 * time.Minute,
		MaxHeaderBytes: 64 << 10,
		// No limit on an answer: streams and WebSockets live long. The services have theirs.
	}
	return o
}

// listen serves on both loopback addresses, because "localhost" is either.
func (o *origin) listen(ctx context.Context, port int, failed func(error)) error {
	var config net.ListenConfig
	four, err := config.Listen(ctx, "tcp", loopback(port))
	if err != nil {
		return err
	}
	listeners := []net.Listener{four}
	if six, err := config.Listen(ctx, "tcp", net.JoinHostPort("::1", strconv.Itoa(port))); err == nil {
		listeners = append(listeners, six)
	}
	for _, l := range listeners {
		o.served.Go(func() {
			if err := o.server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
				failed(fmt.Errorf("origin: %w", err))
			}
		})
	}
	return nil
}

// close lets requests end for a while and then cuts off what is left.
func (o *origin) close(ctx context.Context, while time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, while)
	defer cancel()
	if o.server.Shutdown(ctx) != nil {
		_ = o.server.Close()
	}
	o.served.Wait()
	for _, b := range o.apps {
		b.transport.CloseIdleConnections()
	}
}

func (o *origin) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/healthz":
		writeJSON(w, http.StatusOK, "application/json", map[string]string{"status": "ok"})
		return
	case "/readyz":
		o.readyz(w, r)
		return
	}
	app := appFor(o.routes, r.URL.EscapedPath())
	if o.apps[app] == nil {
		detail := "Nothing is served at this path."
		if app != "" {
			detail = "This path belongs to " + app + ", which is not part of this stack."
		}
		problem(w, http.StatusNotFound, detail)
		return
	}
	r = r.WithContext(context.WithValue(r.Context(), appKey{}, app))
	if r.Body != nil && r.Body != http.NoBody {
		body := &sent{ReadCloser: r.Body}
		r.Body = body
		r = r.WithContext(context.WithValue(r.Context(), sentKey{}, body))
	}
	o.proxy.ServeHTTP(w, r)
}

type appKey struct{}

type sentKey struct{}

// sent is a request's body that remembers whether the client took too long to send it.
type sent struct {
	io.ReadCloser
	late atomic.Bool
}

func (s *sent) Read(p []byte) (int, error) {
	n, err := s.ReadCloser.Read(p)
	if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() {
		s.late.Store(true)
	}
	return n, err
}

// RoundTrip sends a request to a replica of the app that ServeHTTP chose.
func (o *origin) RoundTrip(r *http.Request) (*http.Response, error) {
	app, _ := r.Context().Value(appKey{}).(string)
	return o.apps[app].RoundTrip(r)
}

func (o *origin) failed(log func(string, ...any)) func(http.ResponseWriter, *http.Request, error) {
	return func(w http.ResponseWriter, r *http.Request, err error) {
		app, _ := r.Context().Value(appKey{}).(string)
		var timeout net.Error
		body, _ := r.Context().Value(sentKey{}).(*sent)
		switch {
		case body != nil && body.late.Load():
			problem(w, http.StatusRequestTimeout, "The body of the request did not come in time.")
		case errors.Is(err, context.Canceled):
			// The client left; nobody reads an answer.
			w.WriteHeader(http.StatusBadGateway)
		case errors.As(err, &timeout) && timeout.Timeout():
			problem(w, http.StatusGatewayTimeout, app+" did not answer in time.")
		default:
			log("%s %s: %s does not answer: %v", r.Method, r.URL.Path, app, err)
			problem(w, http.StatusBadGateway, app+" does not answer. It may be starting.")
		}
	}
}

// readyz is green when every service is, and shows what each of them says.
func (o *origin) readyz(w http.ResponseWriter, r *http.Request) {
	type state struct {
		Ready  bool            `json:"ready"`
		Status int             `json:"status,omitempty"` // of the service's own /readyz
		Error  string          `json:"error,omitempty"`
		Detail json.RawMessage `json:"detail,omitempty"`
	}
	ctx := r.Context()
	states := make([]state, len(o.units))
	var all sync.WaitGroup
	for i, b := range o.units {
		all.Go(func() {
			status, body, err := get(ctx, o.client, "http://"+b.addr+"/readyz")
			s := state{Ready: status == http.StatusOK, Status: status}
			if err != nil {
				s.Error = "no answer"
			} else if json.Valid(body) {
				s.Detail = body
			}
			states[i] = s
		})
	}
	all.Wait()
	code, word := http.StatusOK, "ready"
	services := map[string]state{}
	for i, b := range o.units {
		services[b.name] = states[i]
		if !states[i].Ready {
			code, word = http.StatusServiceUnavailable, "not ready"
		}
	}
	w.Header().Set("Cache-Control", "no-store")
	writeJSON(w, code, "application/json", map[string]any{"status": word, "services": services})
}

// balancer takes the replicas of one app in turn, and the next one when one does not listen: nothing was sent to it
// then, so nothing happens twice.
type balancer struct {
	transport *http.Transport
	addrs     []string
	turn      atomic.Uint32
}

// RoundTrip leaves the body of the request open, as its owner, the server, closes it.
func (b *balancer) RoundTrip(r *http.Request) (*http.Response, error) {
	first := int(b.turn.Add(1) % uint32(len(b.addrs))) //nolint:gosec // there are a handful of replicas
	var err error
	for i := range b.addrs {
		out := r.Clone(r.Context())
		out.URL.Host = b.addrs[(first+i)%len(b.addrs)]
		if r.Body != nil && r.Body != http.NoBody {
			// A failed dial closes the body it was given.
			out.Body = io.NopCloser(r.Body)
		}
		var answer *http.Response
		if answer, err = b.transport.RoundTrip(out); err == nil {
			return answer, nil
		}
		var refused *net.OpError
		if !errors.As(err, &refused) || refused.Op != "dial" {
			return nil, err
		}
	}
	return nil, err
}

// maxProbe bounds what is read of a health answer.
const maxProbe = 64 << 10

func get(ctx context.Context, client *http.Client, url string) (int, []byte, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, nil, err
	}
	answer, err := client.Do(r)
	if err != nil {
		return 0, nil, err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(io.LimitReader(answer.Body, maxProbe))
	return answer.StatusCode, body, err
}

// problem answers as RFC 9457 says.
func problem(w http.ResponseWriter, status int, detail string) {
	writeJSON(w, status, "application/problem+json", map[string]any{
		"type": "about:blank", "title": http.StatusText(status), "status": status, "detail": detail,
	})
}

func writeJSON(w http.ResponseWriter, status int, kind string, value any) {
	w.Header().Set("Content-Type", kind)
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(value) // a client that left gets no answer
}
