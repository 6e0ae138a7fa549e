package testkit

import (
	"context"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/taskflow-suite/taskflow/pkg/testkit/apache"
)

// Kafka is an Apache Kafka that is this test's alone: TLS, logins and access control lists, and nobody in them but Admin.
// It can be killed and started again.
type Kafka struct {
	*apache.Kafka

	t    testing.TB
	proc *child
}

// StartKafka runs a Kafka without topics until the test ends.
func StartKafka(t testing.TB) *Kafka {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute) // the first time on a machine it is fetched
	defer cancel()
	ports := numbers(t, freePorts(t, 2))
	prepared, err := apache.Prepare(ctx, filepath.Join(t.TempDir(), "kafka"), ports[0], ports[1])
	if err != nil {
		t.Fatal(err)
	}
	k := &Kafka{Kafka: prepared, t: t}
	k.Start()
	return k
}

// Brokers is its address as a list of one.
func (k *Kafka) Brokers() []string { return []string{k.Addr} }

// Start runs it again after Kill, with what it had acknowledged.
func (k *Kafka) Start() {
	k.t.Helper()
	ready := make(chan struct{}, 1)
	cmd := exec.CommandContext(context.Background(), k.Command[0], k.Command[1:]...)
	k.proc = start(k.t, "Kafka", cmd, func(line []byte) {
		if strings.Contains(string(line), apache.Ready) {
			ready <- struct{}{}
		}
	})
	select {
	case <-ready:
	case <-k.proc.ended:
		k.t.Fatalf("Kafka ended instead of serving:\n%s", k.proc.tail())
	case <-time.After(Patience):
		k.t.Fatalf("Kafka does not serve after %s:\n%s", Patience, k.proc.tail())
	}
}

// Kill ends it without warning.
func (k *Kafka) Kill() {
	k.t.Helper()
	k.proc.kill()
}

func numbers(t testing.TB, ports []string) []int {
	t.Helper()
	var all []int
	for _, p := range ports {
		n, err := strconv.Atoi(p)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, n)
	}
	return all
}
