package app

import (
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/taskflow-suite/taskflow/pkg/testkit"
)

func TestAllMistakesInTheSettingsAreReportedTogether(t *testing.T) {
	t.Parallel()
	wrong := map[string]string{
		"LOG_LEVEL": "loud", "HTTP_TIMEOUT": "soon", "PUBLIC_URL": "https://here/there", "MCP_HOSTS": "*", "MCP_SECRET": "short",
		"JWT_SECRET": "short", "MCP_AUTH_SERVERS": "there",
	}
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
		"BUS": "kafka", "KAFKA_BROKERS": "127.0.0.1:1", "DATABASE_URL": "postgres://127.0.0.1:1/x", "JWT_SECRET": secret, "MCP_SECRET": busSecret,
	}), prometheus.NewRegistry())
	if err == nil || !strings.Contains(err.Error(), "mcp-tools needs a sidecar") {
		t.Errorf("it says %v", err)
	}
}
