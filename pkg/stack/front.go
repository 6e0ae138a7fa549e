package stack

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"slices"
	"time"
)

// Front is the origin of a product that somebody else runs, such as a cluster without an Ingress.
type Front struct {
	// Apps says where each app of Routes is, as one host:port; an app that is missing answers 404.
	Apps map[string]string
	// Log takes what could not be answered.
	Log func(format string, args ...any)
}

// closing is how long requests may take to end once a Front is told to stop.
const closing = 10 * time.Second

// Serve answers on the listener until ctx ends, and closes it.
func (f Front) Serve(ctx context.Context, listener net.Listener) error {
	known := map[string]bool{}
	for _, r := range Routes() {
		known[r.App] = true
	}
	var backends []backend
	for _, app := range slices.Sorted(maps.Keys(f.Apps)) {
		if !known[app] {
			return fmt.Errorf("no path of the origin leads to %q; there are %v", app, slices.Sorted(maps.Keys(known)))
		}
		backends = append(backends, backend{name: app, app: app, addr: f.Apps[app]})
	}
	o := newOrigin(Routes(), backends, f.Log)
	closed := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(closed)
		o.close(context.WithoutCancel(ctx), closing)
	})
	defer stop()
	err := o.server.Serve(listener)
	if errors.Is(err, http.ErrServerClosed) {
		<-closed
		return nil
	}
	return err
}
