// Package services_test keeps the walls between TaskFlow's layers: services → pkg → proto, and what each room may know.
package services_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const module = "github.com/taskflow-suite/taskflow/"

// A wall forbids the files below a folder to import what matches.
type wall struct {
	below   string // a folder, from the repository's root
	except  string // a folder below it to which the wall does not apply
	forbids string // a regular expression on import paths
	why     string
}

var walls = []wall{
	{"proto", "", `^` + module + `(pkg|services)`, "the contracts are what everybody agrees on; they know nobody"},
	{"pkg", "", `^` + module + `services`, "what services share cannot know one of them"},
	{"pkg/task", "", `echo|gorm|dapr|franz-go|net/http|encoding/json`, "the rule book must read the same behind every door and on every store"},
	{"pkg/recurrence", "", `echo|gorm|dapr|net/http|encoding/json`, "rules of the calendar have no transport"},
	{"pkg/event", "", `echo|gorm|dapr|franz-go|` + module + `pkg/task`, "the bus can be swapped: events know no broker and no domain"},
	{"pkg/errs", "", `echo|gorm|dapr|net/http|google.golang.org/grpc`, "a kind is translated at the door, not here"},
	{"pkg/auth", "", module + `pkg/task`, "infrastructure does not know the domain"},
	{"pkg/rest", "", module + `pkg/(task|postgres|sidecar)`, "infrastructure does not know the domain, the store or the sidecar"},
	{"pkg/outbox", "", `dapr|` + module + `pkg/(task|sidecar)`, "the relay knows the bus, not who implements it"},
	{"pkg/inbox", "", `dapr|` + module + `pkg/(task|sidecar)`, "a delivery is handled once whoever delivers it"},
	{"pkg/sidecar", "", `gorm|echo|` + module + `pkg/(task|postgres)`, "Dapr is one room; the domain and the store are others"},
	{"pkg/postgres", "pkg/postgres/taskstore", `echo|dapr|` + module + `pkg/task`, "connection, migrations and log serve every store; only the task store knows tasks"},
	{"pkg/stack", "", `gorm|` + module + `pkg/(task|event|postgres|sidecar)`, "the stack runs processes; it must start even when the code it starts is broken"},
	{"services/task-api/internal/rest", "", `gorm|dapr|` + module + `pkg/(postgres|sidecar|outbox)`, "a door calls the service; it holds no database and no broker"},
	{"services/notifier/internal/hub", "", `echo|gorm|dapr|gorilla|net/http`, "who has seen what is the same on every transport"},
	{"services/notifier/internal/ws", "", `gorm|dapr|` + module + `pkg/(postgres|sidecar|outbox)`, "a door holds no database and no broker"},
	{"services", "services/notifier", `gorilla/websocket`, "only the gateway and the client speak WebSocket"},
	{".", "pkg/auth", `lestrrat-go/jwx`, "nothing but pkg/auth parses a token"},
	{".", "pkg", `^gorm\.io`, "nothing but a store touches a table: those in pkg, and one that a service alone needs"},
	{"pkg/mcpbus", "", `echo|gorm|dapr|` + module + `pkg/(task|postgres|sidecar)`, "MCP travels on any bus, whatever its tools do"},
	{"services/mcp-tools/internal/tools", "", `echo|gorm|dapr|net/http|` + module + `pkg/(postgres|sidecar|outbox|auth)`, "a tool is the same behind both doors"},
	{"services/mcp-tools/internal/web", "", `gorm|dapr|` + module + `pkg/(postgres|sidecar|outbox)`, "a door holds no database and no broker"},
	{"services/chat-agent", "", `gorm|` + module + `pkg/(task|postgres|outbox)`, "the agent has no way to data but MCP"},
	{"services/chat-agent/internal/agent", "", `echo|dapr|net/http|openai-go|` + module + `pkg/(sidecar|rest|auth)`, "the loop knows no transport and no provider"},
	{"services/chat-agent/internal/rest", "", `gorm|dapr|openai-go|modelcontextprotocol|` + module + `pkg/(postgres|sidecar|outbox|mcpbus)`, "a door calls the agent"},
	{"services/scheduler/internal/due", "", `echo|gorm|dapr|net/http|` + module + `pkg/(postgres|sidecar|outbox)`, "what is due is asked of the agenda, wherever it is kept"},
	{"services/scheduler/internal/topics", "", `echo|gorm|dapr|net/http|` + module + `pkg/(sidecar|outbox)`, "a handler knows the event and the store, not who delivers it"},
	{"services/task-api/internal/ical", "", `echo|gorm|dapr|net/http|` + module + `pkg/(postgres|sidecar|outbox)`, "a format knows no transport"},
	{"services/task-api/internal/todoist", "", `echo|gorm|dapr|net/http|` + module + `pkg/(postgres|sidecar|outbox)`, "a format knows no transport"},
	{"services/task-api/internal/importing", "", `echo|gorm|dapr|net/http|` + module + `pkg/(postgres|sidecar|outbox)`, "what is imported goes the way of every new task"},
	{".", "services/chat-agent/internal/model", `openai-go`, "one room speaks to the model"},
	{".", "pkg/sidecar", `dapr/go-sdk`, "no service names Dapr outside its wiring; the wiring calls pkg/sidecar"},
	{".", "", `^log$`, "logs are slog, structured, everywhere"},
}

func TestWallsStand(t *testing.T) {
	t.Parallel()
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	files := sources(t, root)
	if len(files) < 20 {
		t.Fatalf("only %d source files found below %s: the test looks in the wrong place", len(files), root)
	}
	for _, w := range walls {
		forbidden := regexp.MustCompile(w.forbids)
		for file, imports := range files {
			if !below(file, w.below) || w.except != "" && below(file, w.except) || isBuild(file) {
				continue
			}
			for _, path := range imports {
				if forbidden.MatchString(path) && !allowed(file, path) {
					t.Errorf("%s imports %s: %s", file, path, w.why)
				}
			}
		}
	}
}

// TestServicesKeepApart: one service's rooms are closed to every other by Go itself (internal), and calls over the
// network would be addresses; this catches the remaining way in, one service's main imported by another.
func TestServicesKeepApart(t *testing.T) {
	t.Parallel()
	for file, imports := range sources(t, "..") {
		for _, path := range imports {
			other, ok := strings.CutPrefix(path, module+"services/")
			if !ok {
				continue
			}
			name, _, _ := strings.Cut(other, "/")
			if name == "internal" {
				continue // what the command and the end-to-end tests share
			}
			if !below(file, "services/"+name) {
				t.Errorf("%s imports %s: no service knows another", file, path)
			}
		}
	}
}

// allowed are the few imports a wall must let through, each with its reason.
func allowed(file, path string) bool {
	switch {
	case below(file, "services/internal/client") && strings.HasPrefix(path, "github.com/gorilla/websocket"):
		return true // a client of the gateway, as browsers are
	case strings.HasPrefix(path, "gorm.io") && (below(file, "services/mcp-tools/internal/ledger") || below(file, "services/mcp-tools/internal/conversation")):
		return true // tables that this service alone needs
	case path == module+"pkg/task" && below(file, "pkg/task"):
		return true // its own conformance suite
	default:
		return false
	}
}

// isBuild reports whether a file is part of dapr/runtime, a module of its own that builds other people's programs.
func isBuild(file string) bool { return below(file, "dapr/runtime") }

func below(file, folder string) bool {
	return folder == "." || file == folder || strings.HasPrefix(file, folder+"/")
}

// sources maps every Go file that is not a test, from root, to its imports.
func sources(t *testing.T, root string) map[string][]string {
	t.Helper()
	files := map[string][]string{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if name := d.Name(); name == "testdata" || name == "node_modules" || path != root && strings.HasPrefix(name, ".") && name != ".." {
				return fs.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		source, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), path, source, parser.ImportsOnly)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		for _, i := range parsed.Imports {
			files[filepath.ToSlash(name)] = append(files[filepath.ToSlash(name)], strings.Trim(i.Path.Value, `"`))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}
