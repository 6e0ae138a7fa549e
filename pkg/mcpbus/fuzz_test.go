package mcpbus

import (
	"context"
	"strings"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/taskflow-suite/taskflow/pkg/config"
	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/event"
	"github.com/taskflow-suite/taskflow/proto"
)

const (
	someID     = "0192f7a0-0000-7000-8000-000000000001"
	someExpiry = "2099-01-01T00:00:00.5Z"
)

var fuzzed = Config{Secret: config.NewSecret(strings.Repeat("k", minSecret))}

// nowhere is a bus that takes everything.
type nowhere struct{}

func (nowhere) Publish(context.Context, proto.Topic, []event.Message) error { return nil }

// FuzzRequest hands the server any bytes, and the same as the message of an envelope that is signed: neither ends anything,
// and what is not accepted says so by its kind.
func FuzzRequest(f *testing.F) {
	k := newKey(fuzzed.Secret)
	good := `{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}}}`
	sealed, err := k.seal(request, envelope{ClientID: "c", RequestID: someID, UserID: "u", ReplyTo: someID, ExpiresAt: someExpiry, Message: good})
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{
		good, string(sealed), `{`, `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}`,
		`{"jsonrpc":"2.0","id":1,"method":"server/discover","params":{"_meta":7}}`, `{"jsonrpc":"2.0","id":1,"result":{}}`, "\xff",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		s := NewServer(ServerOptions{
			Bus: nowhere{}, Config: fuzzed, MCP: mcp.NewServer(&mcp.Implementation{Name: "fuzzed"}, nil),
		})
		deliver := func(data []byte) {
			if err := s.Deliver(t.Context(), data); err != nil && !errs.Is(err, errs.Invalid) && !errs.Is(err, errs.Denied) {
				t.Fatalf("told %v", err)
			}
		}
		deliver(data)
		signed, err := k.seal(request, envelope{
			ClientID: "c", RequestID: someID, UserID: "u", ReplyTo: someID, ExpiresAt: someExpiry, Message: string(data),
		})
		if err != nil {
			t.Fatal(err)
		}
		e, err := parse(signed)
		if err == nil {
			err = k.verify(request, &e)
		}
		if err != nil && len(data) > 0 {
			t.Fatalf("what was signed is told %v", err)
		}
		deliver(signed)
		s.mu.Lock()
		for _, r := range s.running {
			r.abort(errStopping)
		}
		s.mu.Unlock()
		s.work.Wait()
	})
}

// FuzzReply is FuzzRequest for the client.
func FuzzReply(f *testing.F) {
	k := newKey(fuzzed.Secret)
	for _, seed := range []string{
		`{"jsonrpc":"2.0","id":1,"result":{"content":[]}}`, `{"jsonrpc":"2.0","id":1,"error":{"code":-1,"message":"m"}}`,
		`{"jsonrpc":"2.0","id":1,"method":"ping"}`, `{`, "\xff", `{"client_id":"c","mac":"AA=="}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c := NewClient(nowhere{}, fuzzed, "c")
		_, done := context.WithCancel(t.Context())
		defer done()
		waits := &call{request: someID, user: "u", response: make(chan *jsonrpc.Response, 1), done: done}
		if err := c.wait(waits); err != nil {
			t.Fatal(err)
		}
		deliver := func(data []byte) {
			if err := c.Deliver(t.Context(), data); err != nil && !errs.Is(err, errs.Invalid) && !errs.Is(err, errs.Denied) {
				t.Fatalf("told %v", err)
			}
		}
		deliver(data)
		if len(waits.response) != 0 {
			t.Fatal("answered by what is not signed")
		}
		signed, err := k.seal(reply, envelope{ClientID: "c", RequestID: someID, UserID: "u", ReplyTo: c.replica, Message: string(data)})
		if err != nil {
			t.Fatal(err)
		}
		deliver(signed)
	})
}
