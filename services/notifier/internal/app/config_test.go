package app

import (
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/taskflow-suite/taskflow/pkg/testkit"
)

func TestEveryWrongSettingIsNamedAtOnce(t *testing.T) {
	t.Parallel()
	env := map[string]string{
		"JWT_SECRET": "short", "CORS_ORIGINS": "*", "MAX_CONNECTIONS": "0", "MAX_CONNECTIONS_PER_USER": "-1",
		"SHUTDOWN_SPREAD": "1h", "CHECK_INTERVAL": "1ms", "LOG_LEVEL": "loud",
	}
	err := run(t.Context(), testkit.Environment(env), prometheus.NewRegistry())
	if err == nil {
		t.Fatal("taken")
	}
	for name := range env {
		if !strings.Contains(err.Error(), name) {
			t.Errorf("%s is not named in: %v", name, err)
		}
	}
	if !strings.Contains(err.Error(), "DATABASE_URL") {
		t.Errorf("DATABASE_URL, which is missing, is not named in: %v", err)
	}
}
