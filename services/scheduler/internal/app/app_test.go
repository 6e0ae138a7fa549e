package app

import (
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/taskflow-suite/taskflow/pkg/testkit"
)

func TestAllMistakesInTheSettingsAreReportedTogether(t *testing.T) {
	t.Parallel()
	wrong := map[string]string{"LOG_LEVEL": "loud", "DUE_PORTION": "0", "DATABASE_MAX_CONNS": "many", "SECRET_PATIENCE": "soon"}
	err := run(t.Context(), testkit.Environment(wrong), prometheus.NewRegistry())
	if err == nil {
		t.Fatal("it runs")
	}
	for name := range wrong {
		if !strings.Contains(err.Error(), name) {
			t.Errorf("%s is not named in:\n%v", name, err)
		}
	}
	if !strings.Contains(err.Error(), "DATABASE_URL") {
		t.Errorf("DATABASE_URL, which is missing, is not named in:\n%v", err)
	}
}

func TestWithoutASidecarItSaysThatItNeedsOne(t *testing.T) {
	t.Parallel()
	err := run(t.Context(), testkit.Environment(map[string]string{
		"BUS": "kafka", "KAFKA_BROKERS": "127.0.0.1:1", "DATABASE_URL": "postgres://127.0.0.1:1/x",
	}), prometheus.NewRegistry())
	if err == nil || !strings.Contains(err.Error(), "scheduler needs a sidecar") {
		t.Errorf("it says %v", err)
	}
}
