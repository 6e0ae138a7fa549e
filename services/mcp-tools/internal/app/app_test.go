package app

import (
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/taskflow-suite/taskflow/pkg/config"
)

var update = flag.Bool("update", false, "write the README's settings anew")

func TestTheREADMEHasTheSettings(t *testing.T) {
	t.Parallel()
	const path = "../../README.md"
	readme, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	want, err := config.Section(string(readme), config.Table[Config]())
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if string(readme) != want {
		t.Error("README.md has other settings than Config; run: go test ./mcp-tools/internal/app -update")
	}
}

func TestAllMistakesInTheSettingsAreReportedTogether(t *testing.T) {
	t.Parallel()
	wrong := map[string]string{
		"LOG_LEVEL": "loud", "HTTP_TIMEOUT": "soon", "PUBLIC_URL": "https://here/there", "MCP_HOSTS": "*", "MCP_SECRET": "short",
		"JWT_SECRET": "short", "MCP_AUTH_SERVERS": "there",
	}
	err := run(t.Context(), environment(wrong), prometheus.NewRegistry())
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
	err := run(t.Context(), environment(map[string]string{
		"BUS": "kafka", "KAFKA_BROKERS": "127.0.0.1:1", "DATABASE_URL": "postgres://127.0.0.1:1/x", "JWT_SECRET": secret, "MCP_SECRET": busSecret,
	}), prometheus.NewRegistry())
	if err == nil || !strings.Contains(err.Error(), "mcp-tools needs a sidecar") {
		t.Errorf("it says %v", err)
	}
}
