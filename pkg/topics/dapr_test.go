package topics_test

import (
	"bytes"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/taskflow-suite/taskflow/pkg/sidecar"
	"github.com/taskflow-suite/taskflow/proto"
)

// dapr is where the files are that these tests keep true to proto/topics.go.
const dapr = "../../dapr"

var update = flag.Bool("update", false, "write what follows from proto/topics.go into the files of dapr/")

type component struct {
	Kind     string
	Metadata struct{ Name string }
	Spec     struct {
		Type, Version string
		Metadata      []struct {
			Name, Value  string
			SecretKeyRef struct{ Name, Key string } `yaml:"secretKeyRef"`
		}
	}
	Scopes []string
}

func (c component) value(name string) string {
	for _, m := range c.Spec.Metadata {
		if m.Name == name {
			return m.Value
		}
	}
	return ""
}

func parse[T any](t *testing.T, path string) T {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dapr, path))
	if err != nil {
		t.Fatal(err)
	}
	var value T
	if err := yaml.Unmarshal(text, &value); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return value
}

// rights are who may do what through one component: topics by app.
type rights struct{ publish, subscribe map[string][]string }

func rightsOf(specs []proto.TopicSpec) (work, fanOut rights) {
	for _, r := range []*rights{&work, &fanOut} {
		r.publish, r.subscribe = map[string][]string{}, map[string][]string{}
	}
	for _, s := range specs {
		name := string(s.Name)
		for _, app := range s.Publishers {
			work.publish[app] = append(work.publish[app], name)
		}
		for _, app := range s.Subscribers {
			work.subscribe[app] = append(work.subscribe[app], name)
		}
		for _, app := range s.FanOut {
			fanOut.subscribe[app] = append(fanOut.subscribe[app], name)
		}
	}
	return work, fanOut
}

func (r rights) apps() []string {
	all := map[string]bool{}
	for app := range r.publish {
		all[app] = true
	}
	for app := range r.subscribe {
		all[app] = true
	}
	return slices.Sorted(maps.Keys(all))
}

// scopes is what Dapr reads: an app with nothing to do is named too, because Dapr lets an app that is not named use
// every topic that is not protected.
func (r rights) scopes(by map[string][]string) string {
	var all []string
	for _, app := range r.apps() {
		all = append(all, app+"="+strings.Join(by[app], ","))
	}
	return strings.Join(all, ";")
}

// scoped rewrites the lines of a component that follow from the contract.
func scoped(text []byte, r rights) []byte {
	var protected []string
	for _, s := range proto.AllTopics() {
		protected = append(protected, string(s.Name))
	}
	for name, value := range map[string]string{
		"protectedTopics": strings.Join(protected, ","), "publishingScopes": r.scopes(r.publish), "subscriptionScopes": r.scopes(r.subscribe),
	} {
		line := regexp.MustCompile(`(?m)^  - \{name: ` + name + `, value: ".*"\}$`)
		text = line.ReplaceAll(text, fmt.Appendf(nil, "  - {name: %s, value: %q}", name, value))
	}
	return regexp.MustCompile(`(?m)^scopes: \[.*\]$`).ReplaceAll(text, []byte("scopes: ["+strings.Join(r.apps(), ", ")+"]"))
}

func TestTheComponentsGiveEachAppTheTopicsOfTheContractAndNoOther(t *testing.T) {
	work, fanOut := rightsOf(proto.AllTopics())
	for path, r := range map[string]rights{
		"components/pubsub.yaml": work, "components/pubsub-fanout.yaml": fanOut,
		"local/components/pubsub.yaml": work, "local/components/pubsub-fanout.yaml": fanOut,
	} {
		file := filepath.Join(dapr, path)
		have, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		want := scoped(have, r)
		if *update {
			if err := os.WriteFile(file, want, 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if !bytes.Equal(have, want) {
			t.Errorf("%s does not follow proto/topics.go; `make gen` writes it", path)
		}
		c := parse[component](t, path)
		if c.value("protectedTopics") == "" || c.value("subscriptionScopes") != r.scopes(r.subscribe) || !slices.Equal(c.Scopes, r.apps()) {
			t.Errorf("%s lacks one of the lines that are generated", path)
		}
	}
}

func TestEverySubscriberMayPublishToItsDeadLetters(t *testing.T) {
	scopes := parse[component](t, "components/pubsub.yaml").value("publishingScopes")
	allowed := map[string][]string{}
	for app := range strings.SplitSeq(scopes, ";") {
		name, list, _ := strings.Cut(app, "=")
		allowed[name] = strings.Split(list, ",")
	}
	for _, s := range proto.Topics() {
		for _, app := range s.Subscribers {
			if dead := string(proto.DeadLetter(s.Name, app)); !slices.Contains(allowed[app], dead) {
				t.Errorf("%s subscribes to %s and may not publish to %s", app, s.Name, dead)
			}
		}
	}
}

func TestTheTwinsDifferFromTheOriginalsInTheConnectionOnly(t *testing.T) {
	connection := []string{
		"brokers", "authType", "saslMechanism", "saslUsername", "saslPassword", "disableTls", "caCert", "connectionString",
	}
	rest := func(c component) map[string]string {
		values := map[string]string{}
		for _, m := range c.Spec.Metadata {
			if !slices.Contains(connection, m.Name) {
				values[m.Name] = m.Value
			}
		}
		return values
	}
	for _, kind := range []string{"components", "resiliency"} {
		originals, twins := names(t, kind), names(t, "local/"+kind)
		if !slices.Equal(originals, twins) {
			t.Errorf("dapr/%s has %v and dapr/local/%s %v", kind, originals, kind, twins)
		}
	}
	for _, file := range names(t, "components") {
		original, twin := parse[component](t, "components/"+file), parse[component](t, "local/components/"+file)
		if original.Metadata.Name != twin.Metadata.Name || original.Metadata.Name+".yaml" != file {
			t.Errorf("%s is called %q and its twin %q", file, original.Metadata.Name, twin.Metadata.Name)
		}
		if !slices.Equal(original.Scopes, twin.Scopes) {
			t.Errorf("%s is for %v and its twin for %v", file, original.Scopes, twin.Scopes)
		}
		if a, b := rest(original), rest(twin); !maps.Equal(a, b) {
			t.Errorf("%s says %v and its twin %v", file, a, b)
		}
	}
	for _, file := range names(t, "resiliency") {
		a, b := parse[any](t, "resiliency/"+file), parse[any](t, "local/resiliency/"+file)
		if fmt.Sprint(a) != fmt.Sprint(b) {
			t.Errorf("resiliency/%s and its twin differ", file)
		}
	}
	a, b := parse[configuration](t, "configuration.yaml"), parse[configuration](t, "local/configuration.yaml")
	if a.Spec.Tracing != b.Spec.Tracing || fmt.Sprint(a.Spec.API) != fmt.Sprint(b.Spec.API) || fmt.Sprint(a.Spec.Metrics) != fmt.Sprint(b.Spec.Metrics) {
		t.Error("configuration.yaml and its twin differ in more than the secrets")
	}
}

type configuration struct {
	Spec struct {
		Tracing struct {
			SamplingRate string `yaml:"samplingRate"`
		}
		Metrics any
		API     struct {
			Allowed []struct{ Name, Version, Protocol string }
		}
	}
}

func TestTheConfigurationKeepsTracesAndOpensNoProtocolByAccident(t *testing.T) {
	for _, path := range []string{"configuration.yaml", "local/configuration.yaml"} {
		c := parse[configuration](t, path)
		// At "0" the sidecar takes the traceparent out of every event.
		if rate := c.Spec.Tracing.SamplingRate; rate == "" || rate == "0" {
			t.Errorf("%s samples at %q", path, rate)
		}
		open := map[string]int{}
		for _, rule := range c.Spec.API.Allowed {
			open[rule.Protocol]++
		}
		// A protocol without a rule is wholly open.
		if open["grpc"] == 0 || open["http"] == 0 {
			t.Errorf("%s has rules for %v and needs some for grpc and http", path, open)
		}
	}
}

func names(t *testing.T, dir string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dapr, dir, "*.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no files in %s: %v", dir, err)
	}
	for i, f := range files {
		files[i] = filepath.Base(f)
	}
	return files
}

type resiliency struct {
	Spec struct {
		Policies struct {
			Timeouts map[string]string
			Retries  map[string]struct {
				Policy, Duration string
				MaxRetries       int `yaml:"maxRetries"`
			}
		}
		Targets struct {
			Components map[string]map[string]struct{ Timeout, Retry string }
		}
	}
}

func TestTheRetriesOfAnEventOutlastARestartAndEndBeforeARebalance(t *testing.T) {
	const (
		detection = 6 * time.Second  // app health: three failures, two seconds apart
		budget    = 45 * time.Second // a rebalance waits 60 s for an event in hand
	)
	r := parse[resiliency](t, "resiliency/resiliency.yaml")
	inbound := r.Spec.Targets.Components["pubsub"]["inbound"]
	retry := r.Spec.Policies.Retries[inbound.Retry]
	timeout, err := time.ParseDuration(r.Spec.Policies.Timeouts[inbound.Timeout])
	if err != nil {
		t.Fatal(err)
	}
	pause, err := time.ParseDuration(retry.Duration)
	if err != nil || retry.Policy != "constant" {
		t.Fatalf("the policy is %q with %q: only a constant one has a bound (%v)", retry.Policy, retry.Duration, err)
	}
	if timeout <= sidecar.HandlerDeadline {
		t.Errorf("the sidecar gives up after %v, before the handler's deadline of %v: attempts would overlap", timeout, sidecar.HandlerDeadline)
	}
	pauses := time.Duration(retry.MaxRetries) * pause
	if pauses <= detection {
		t.Errorf("the pauses are %v together, and app health needs %v to see that a service is gone", pauses, detection)
	}
	if longest := time.Duration(retry.MaxRetries+1)*timeout + pauses; longest >= budget {
		t.Errorf("an event may take %v, longer than %v", longest, budget)
	}
	if _, ok := r.Spec.Targets.Components["pubsub"]["outbound"]; ok {
		t.Error("the sidecar retries publishing behind the outbox relay's back")
	}
	if _, ok := r.Spec.Targets.Components["pubsub-fanout"]; ok {
		t.Error("the fan-out has a retry policy, with which one replica's event holds back the others")
	}
}
