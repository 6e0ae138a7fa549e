package app

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"go.uber.org/goleak"

	"github.com/taskflow-suite/taskflow/pkg/auth"
	"github.com/taskflow-suite/taskflow/pkg/process"
	"github.com/taskflow-suite/taskflow/pkg/testkit"
)

// childVariable makes this test binary the notifier itself: its memory and its open files are then its own, and not
// mixed with those of ten thousand clients.
const childVariable = "NOTIFIER_TEST_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(childVariable) != "" {
		process.Main(Run)
	}
	goleak.VerifyTestMain(m)
}

// BenchmarkIdleConnections opens connections of 200 users to a notifier in a process of its own and reports its memory
// and the time from dialling to hello.
func BenchmarkIdleConnections(b *testing.B) {
	for _, n := range []int{1000, 10_000} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			for b.Loop() {
				idle(b, n)
			}
		})
	}
}

func idle(b *testing.B, n int) {
	addr, callback := testkit.Address(b), testkit.Address(b)
	cmd := exec.CommandContext(b.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), childVariable+"=1", "HTTP_ADDR="+addr, "APP_ADDR="+callback, "APP_API_OPEN=true",
		"DAPR_GRPC_ENDPOINT="+testkit.Address(b), "DATABASE_URL="+testkit.Postgres(b), "JWT_SECRET="+secret, "LOG_LEVEL=warn",
		"MAX_CONNECTIONS_PER_USER="+strconv.Itoa(n), "SHUTDOWN_SPREAD=1s")
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	defer func() {
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait()
	}()
	ctx, cancel := context.WithTimeout(b.Context(), testkit.Patience)
	defer cancel()
	// Without a sidecar the replica never gets ready.
	testkit.Answers(b, "http://"+addr+"/healthz", http.StatusOK)
	before := rss(b, cmd.Process.Pid)

	var (
		mu    sync.Mutex
		conns []*websocket.Conn
		took  []time.Duration
		all   sync.WaitGroup
	)
	defer func() {
		for _, c := range conns {
			_ = c.Close()
		}
	}()
	slots := make(chan struct{}, 32)
	for i := range n {
		slots <- struct{}{}
		all.Go(func() {
			defer func() { <-slots }()
			user := fmt.Sprint("user-", i%200)
			token, err := auth.Mint(secret, user, time.Hour)
			if err != nil {
				b.Error(err)
				return
			}
			begun := time.Now()
			dialer := websocket.Dialer{ReadBufferSize: 256, WriteBufferSize: 256}
			conn, _, err := dialer.DialContext(ctx, "ws://"+addr+"/ws/user/"+user+"/tasks", http.Header{"Authorization": {"Bearer " + token}})
			if err == nil {
				_, _, err = conn.ReadMessage()
			}
			if err != nil {
				b.Error(err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			conns, took = append(conns, conn), append(took, time.Since(begun))
		})
	}
	all.Wait()
	if b.Failed() {
		return
	}
	slices.Sort(took)
	after := rss(b, cmd.Process.Pid)
	b.ReportMetric(after, "MiB")
	b.ReportMetric((after-before)*1024/float64(n), "KiB/conn")
	b.ReportMetric(took[n/2].Seconds()*1000, "ms-p50")
	b.ReportMetric(took[n*99/100].Seconds()*1000, "ms-p99")
}

// rss is a process's resident memory in MiB (Linux).
func rss(b *testing.B, pid int) float64 {
	b.Helper()
	f, err := os.Open(filepath.Join("/proc", strconv.Itoa(pid), "status"))
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if rest, ok := strings.CutPrefix(lines.Text(), "VmRSS:"); ok {
			kib, err := strconv.Atoi(strings.TrimSuffix(strings.TrimSpace(rest), " kB"))
			if err != nil {
				b.Fatal(err)
			}
			return float64(kib) / 1024
		}
	}
	b.Fatal("no VmRSS")
	return 0
}
