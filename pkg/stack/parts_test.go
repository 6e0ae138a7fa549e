package stack

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	runtimev1 "github.com/dapr/dapr/pkg/proto/runtime/v1"
	"github.com/gorilla/websocket"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"
)

// playPart makes this test binary one of the children that the tests run.
func playPart(part string) {
	switch part {
	case "sleeper": // says its pid and ends politely
		stop := make(chan os.Signal, 1)
		signal.Notify(stop, syscall.SIGTERM)
		fmt.Fprintln(os.Stdout, "sleeping", os.Getpid())
		<-stop
		fmt.Fprintln(os.Stdout, "bye")
	case "stubborn": // does not listen
		signal.Ignore(syscall.SIGTERM)
		fmt.Fprintln(os.Stdout, "sleeping", os.Getpid())
		select {}
	case "parent": // has a child of its own
		child := exec.Command("sleep", "600")
		if err := child.Start(); err != nil {
			panic(err)
		}
		fmt.Fprintln(os.Stdout, "child", child.Process.Pid)
		select {}
	case "failing":
		fmt.Fprintln(os.Stdout, "I cannot go on")
		os.Exit(3)
	case "talker":
		fmt.Fprintln(os.Stdout, strings.Repeat("x", 3*maxLine))
		fmt.Fprintln(os.Stdout, "done")
	case "supervisor": // runs a sleeper through this package, until it is killed
		superviseSleeper()
	case "service":
		service()
	case "up":
		upUntilTold()
	}
}

func superviseSleeper() {
	log, err := openLog(os.Getenv("STACK_TEST_LOG"))
	if err != nil {
		panic(err)
	}
	p := newProcess(command{
		name: "sleeper", path: os.Args[0], env: []string{"STACK_TEST_PART=sleeper"},
		log: log, merged: newMerged(os.Stdout, nil),
	})
	if err := p.start(context.Background()); err != nil {
		panic(err)
	}
	select {}
}

// service is what the stack sees of one: a door with health, REST and a WebSocket that echoes; and, where the stack
// gives it a sidecar, the callback that Dapr delivers events to.
func service() {
	var up websocket.Upgrader
	events := make(chan string, 100)
	mux := http.NewServeMux()
	mux.HandleFunc("/readyz", func(w http.ResponseWriter, _ *http.Request) {
		// As a real service does, it waits for its sidecar, which waits for it.
		if sidecar := os.Getenv("DAPR_GRPC_ENDPOINT"); sidecar != "" {
			conn, err := net.DialTimeout("tcp", sidecar, time.Second)
			if err != nil {
				http.Error(w, err.Error(), http.StatusServiceUnavailable)
				return
			}
			conn.Close()
		}
		fmt.Fprint(w, `{"status":"ok"}`)
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		env := map[string]string{"POD_NAME": os.Getenv("POD_NAME"), "path": r.URL.Path}
		for _, name := range []string{"DATABASE_URL", "JWT_SECRET", "DAPR_API_TOKEN", "CORS_ORIGINS", "EXTRA", "MCP_SECRET", "OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_MODEL"} {
			env[name] = os.Getenv(name)
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(env)
	})
	mux.HandleFunc("/api/next-event", func(w http.ResponseWriter, r *http.Request) {
		select {
		case e := <-events:
			fmt.Fprint(w, e)
		case <-r.Context().Done():
		}
	})
	mux.HandleFunc("/ws/", func(w http.ResponseWriter, r *http.Request) {
		conn, err := up.Upgrade(w, r, nil)
		if err != nil {
			return
		}
		defer conn.Close()
		for {
			kind, text, err := conn.ReadMessage()
			if err != nil {
				return
			}
			if err := conn.WriteMessage(kind, append([]byte("echo "), text...)); err != nil {
				return
			}
		}
	})
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	server := &http.Server{Addr: os.Getenv("HTTP_ADDR"), Handler: mux}
	if addr := os.Getenv("APP_ADDR"); addr != "" {
		l, err := net.Listen("tcp", addr)
		if err != nil {
			panic(err)
		}
		callback := grpc.NewServer()
		runtimev1.RegisterAppCallbackServer(callback, subscriber{events: events})
		runtimev1.RegisterAppCallbackHealthCheckServer(callback, subscriber{})
		go callback.Serve(l) //nolint:errcheck // it ends with the process
	}
	go func() {
		<-ctx.Done()
		_ = server.Close()
	}()
	fmt.Fprintln(os.Stdout, server.ListenAndServe())
}

type subscriber struct {
	runtimev1.UnimplementedAppCallbackServer
	runtimev1.UnimplementedAppCallbackHealthCheckServer
	events chan<- string
}

func (subscriber) ListTopicSubscriptions(context.Context, *emptypb.Empty) (*runtimev1.ListTopicSubscriptionsResponse, error) {
	return &runtimev1.ListTopicSubscriptionsResponse{}, nil
}

func (s subscriber) OnTopicEvent(ctx context.Context, e *runtimev1.TopicEventRequest) (*runtimev1.TopicEventResponse, error) {
	token := metadata.ValueFromIncomingContext(ctx, "dapr-api-token")
	if len(token) != 1 || token[0] != os.Getenv("APP_API_TOKEN") {
		return nil, status.Error(codes.Unauthenticated, "the sidecar does not know the token")
	}
	s.events <- string(e.GetData())
	return &runtimev1.TopicEventResponse{}, nil
}

func (subscriber) HealthCheck(context.Context, *emptypb.Empty) (*runtimev1.HealthCheckResponse, error) {
	return &runtimev1.HealthCheckResponse{}, nil
}

// lines collects what is written to it and lets a test wait for a line.
type lines struct{ seen chan string }

func newLines() *lines { return &lines{make(chan string, 1000)} }

func (l *lines) Write(b []byte) (int, error) {
	for s := bufio.NewScanner(bytes.NewReader(b)); s.Scan(); {
		select {
		case l.seen <- s.Text():
		default: // nobody waits any more
		}
	}
	return len(b), nil
}

// until returns the first line that contains text.
func (l *lines) until(ctx context.Context, text string) (string, error) {
	for {
		select {
		case line := <-l.seen:
			if strings.Contains(line, text) {
				return line, nil
			}
		case <-ctx.Done():
			return "", fmt.Errorf("no line with %q: %w", text, ctx.Err())
		}
	}
}

// upUntilTold is `taskflow up` in small.
func upUntilTold() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	s, err := Start(ctx, upOptions(os.Getenv("STACK_TEST_DIR"), os.Stdout))
	if err != nil {
		fmt.Fprintln(os.Stdout, "up: failed:", err)
		os.Exit(1)
	}
	fmt.Fprintln(os.Stdout, "up:", s.Pid("postgres"), s.Pid("task-api"))
	<-ctx.Done()
	_ = s.Stop(context.WithoutCancel(ctx))
}

func upOptions(dir string, out io.Writer) Options {
	return Options{
		Root: dir, Dir: filepath.Join(dir, "state"), Ports: Ports{Random: true}, Output: out,
		Services: []Service{testService("task-api", true)},
	}
}

// testService is this test binary as a service without a sidecar.
func testService(app string, database bool) Service {
	return Service{
		App: app, Command: []string{os.Args[0]}, Env: []string{"STACK_TEST_PART=service", "EXTRA=yes"},
		NoSidecar: true, Database: database,
	}
}
