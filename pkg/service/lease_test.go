package service_test

import (
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/taskflow-suite/taskflow/pkg/service"
)

func TestMetricsLastAsLongAsTheirLease(t *testing.T) {
	t.Parallel()
	process := prometheus.NewRegistry()
	gauge := func() prometheus.Collector {
		return prometheus.NewGauge(prometheus.GaugeOpts{Name: "one", Help: "One."})
	}
	for range 2 { // a second run may take the names again
		lease := service.NewLease(process)
		lease.MustRegister(gauge())
		if err := lease.Register(gauge()); err == nil {
			t.Error("a name is taken twice")
		}
		if seen, err := process.Gather(); err != nil || len(seen) != 1 {
			t.Fatalf("%d metrics, %v, instead of one", len(seen), err)
		}
		lease.End()
		lease.End()
		if seen, err := process.Gather(); err != nil || len(seen) != 0 {
			t.Fatalf("%d metrics, %v, after the end", len(seen), err)
		}
	}
}
