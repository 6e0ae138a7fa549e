package writer

import (
	"database/sql"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/taskflow-suite/taskflow/pkg/postgres"
)

// poolMetrics shows how the connections to the database are used.
func poolMetrics(registry prometheus.Registerer, db *postgres.DB) {
	for _, m := range []struct {
		name, help string
		value      func(sql.DBStats) float64
	}{
		{"database_connections_open", "Open connections to the database.", func(s sql.DBStats) float64 { return float64(s.OpenConnections) }},
		{"database_connections_in_use", "Connections to the database that are in use.", func(s sql.DBStats) float64 { return float64(s.InUse) }},
		{"database_connection_waits", "How often a connection had to be waited for, since the start.", func(s sql.DBStats) float64 { return float64(s.WaitCount) }},
		{"database_connection_wait_seconds", "How long connections were waited for, since the start.", func(s sql.DBStats) float64 { return s.WaitDuration.Seconds() }},
	} {
		registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Namespace: "taskflow", Name: m.name, Help: m.help},
			func() float64 { return m.value(db.Pool()) }))
	}
}
