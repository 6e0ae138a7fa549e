package writer

import (
	"database/sql"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/taskflow-suite/taskflow/pkg/postgres"
)

// poolMetrics shows how the connections to the database are used.
func poolMetrics(registry prometheus.Registerer, db *postgres.DB) {
	gauge := func(name, help string, value func(sql.DBStats) float64) {
		registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, func() float64 { return value(db.Pool()) }))
	}
	counter := func(name, help string, value func(sql.DBStats) float64) {
		registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help}, func() float64 { return value(db.Pool()) }))
	}
	gauge("taskflow_database_connections_open", "Open connections to the database.",
		func(s sql.DBStats) float64 { return float64(s.OpenConnections) })
	gauge("taskflow_database_connections_in_use", "Connections to the database that are in use.",
		func(s sql.DBStats) float64 { return float64(s.InUse) })
	counter("taskflow_database_connection_waits_total", "How often a connection to the database had to be waited for.",
		func(s sql.DBStats) float64 { return float64(s.WaitCount) })
	counter("taskflow_database_connection_wait_seconds_total", "How long connections to the database were waited for, all waits together.",
		func(s sql.DBStats) float64 { return s.WaitDuration.Seconds() })
}
