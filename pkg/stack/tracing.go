package stack

import (
	"cmp"
	"os"
	"strings"
)

// insecureTraces is what daprd must be told about where traces go: services and sidecars read the same OTEL_EXPORTER_OTLP_
// variables, but daprd passes over the scheme of the endpoint and speaks TLS to it unless one more says not to (dapr
// pkg/config: SetTracingSpecFromEnv).
func insecureTraces() []string {
	const insecure = "OTEL_EXPORTER_OTLP_INSECURE"
	endpoint := cmp.Or(os.Getenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"), os.Getenv("OTEL_EXPORTER_OTLP_ENDPOINT"))
	if !strings.HasPrefix(endpoint, "http://") || os.Getenv(insecure) != "" {
		return nil
	}
	return []string{insecure + "=true"}
}
