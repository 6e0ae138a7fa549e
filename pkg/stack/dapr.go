package stack

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"github.com/taskflow-suite/taskflow/pkg/kafka"
)

// What the files in dapr/local say of the broker, for `dapr run -f`, is replaced by where that of this stack is. The files
// stay plain YAML that Dapr's own tools can read.
const brokerInFiles = "localhost:9092"

// renderDapr writes the Dapr files of this stack below dir and returns the directory of resources and the
// configuration. They name secrets and hold none; still, nobody else has a use for them.
func renderDapr(source, dir, brokers string, access kafka.Access) (resources, configuration string, err error) {
	resources = filepath.Join(dir, "resources")
	configuration = filepath.Join(dir, "configuration.yaml")
	// What was rendered for an earlier run and is no longer in the source must not be loaded.
	if err := os.RemoveAll(dir); err != nil {
		return "", "", err
	}
	if err := os.MkdirAll(resources, 0o700); err != nil {
		return "", "", err
	}
	if err := os.Chmod(dir, 0o700); err != nil {
		return "", "", err
	}
	render := func(from, to string) error {
		text, err := os.ReadFile(from)
		if err != nil {
			return err
		}
		if text, err = letIn(text, access); err != nil {
			return fmt.Errorf("%s: %w", from, err)
		}
		text = bytes.ReplaceAll(text, []byte(brokerInFiles), []byte(brokers))
		return os.WriteFile(to, text, 0o600)
	}
	count := 0
	// daprd reads the files of a directory but not those below it, so all kinds go into one.
	for _, kind := range []string{"components", "subscriptions", "resiliency"} {
		files, err := filepath.Glob(filepath.Join(source, kind, "*.yaml"))
		if err != nil {
			return "", "", err
		}
		for _, f := range files {
			if err := render(f, filepath.Join(resources, kind+"-"+filepath.Base(f))); err != nil {
				return "", "", err
			}
			count++
		}
	}
	if count == 0 {
		return "", "", fmt.Errorf("no Dapr files (components, subscriptions, resiliency) in %s", source)
	}
	return resources, configuration, render(filepath.Join(source, "configuration.yaml"), configuration)
}

// daprdArgs is the command line of a service's sidecar.
func daprdArgs(u unit, resources, configuration, logLevel string) []string {
	port := strconv.Itoa
	return []string{
		"--app-id", u.App, "--app-protocol", "grpc", "--app-port", port(u.ports.app),
		"--dapr-listen-addresses", "127.0.0.1",
		"--dapr-http-port", port(u.ports.daprHTTP), "--dapr-grpc-port", port(u.ports.daprGRPC),
		"--dapr-internal-grpc-port", port(u.ports.daprInternal), "--metrics-port", port(u.ports.daprMetric),
		"--resources-path", resources, "--config", configuration,
		// Neither actors nor jobs are used. With an address that does not answer, daprd would never become healthy.
		"--placement-host-address", "", "--scheduler-host-address", "",
		// An app that is away must have its subscriptions paused before the retries of an event are used up, or live
		// events go to the dead-letter topics. The probe may take as long as the interval, because the sidecar also
		// counts failures that do not follow each other.
		"--enable-app-health-check", "--app-health-probe-interval", "2", "--app-health-probe-timeout", "2000",
		"--app-health-threshold", "3",
		"--log-as-json", "--log-level", logLevel,
	}
}
