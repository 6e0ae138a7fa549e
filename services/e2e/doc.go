// Package e2e holds no code: its tests run the whole suite for real — Postgres, the broker, every service with its own
// daprd — break parts of it while people use it, and check that nobody notices more than a pause.
package e2e
