package service

import "github.com/prometheus/client_golang/prometheus"

// Lease registers metrics for as long as one run lasts: the process's registry outlives it, and takes each name once.
type Lease struct {
	prometheus.Registerer
	registered []prometheus.Collector
}

// NewLease makes a Lease; End it with the run. It is used by one goroutine.
func NewLease(registry prometheus.Registerer) *Lease { return &Lease{Registerer: registry} }

// Register registers a collector until the end of the lease.
func (l *Lease) Register(c prometheus.Collector) error {
	err := l.Registerer.Register(c)
	if err == nil {
		l.registered = append(l.registered, c)
	}
	return err
}

// MustRegister is Register; it panics if a name is taken.
func (l *Lease) MustRegister(all ...prometheus.Collector) {
	for _, c := range all {
		if err := l.Register(c); err != nil {
			panic(err)
		}
	}
}

// End takes everything out again.
func (l *Lease) End() {
	for _, c := range l.registered {
		l.Unregister(c)
	}
	l.registered = nil
}
