package mcpbus

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/taskflow-suite/taskflow/pkg/errs"
)

func TestCancellationsWithoutARequestAreRememberedUpToABound(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := NewServer(ServerOptions{Bus: nowhere{}, Config: fuzzed, MCP: mcp.NewServer(&mcp.Implementation{Name: "tools"}, nil)})
		of := func(n int) attempt { return attempt{name: name{"c", "u", fmt.Sprint(n)}} }
		for n := range maxCancelled {
			s.cancel(of(n), time.Now().Add(time.Duration(1+n%2)*time.Minute))
		}
		<-time.After(time.Minute)
		s.cancel(of(maxCancelled), time.Now().Add(time.Minute))
		if n := len(s.cancelled); n != maxCancelled/2+1 {
			t.Errorf("%d are remembered after half of them expired", n)
		}
		for n := range maxCancelled {
			of := of(2*maxCancelled + n)
			s.cancel(of, time.Now().Add(time.Minute))
			if _, ok := s.cancelled[of]; !ok || len(s.cancelled) > maxCancelled {
				t.Fatalf("%d are remembered, the newest: %v", len(s.cancelled), ok)
			}
		}
		s.cancel(of(0), time.Now())
		if len(s.cancelled) != maxCancelled {
			t.Error("one that has expired already is remembered")
		}
	})
}

func TestACallOfNobodyIsDenied(t *testing.T) {
	t.Parallel()
	s := NewServer(ServerOptions{Bus: nowhere{}, Config: fuzzed, MCP: mcp.NewServer(&mcp.Implementation{Name: "tools"}, nil)})
	e := envelope{
		ClientID: "c", RequestID: someID, ReplyTo: someID, ExpiresAt: someExpiry,
		Message: `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"act"}}`,
	}
	data, err := s.key.seal(request, e)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Deliver(t.Context(), data); !errs.Is(err, errs.Denied) {
		t.Errorf("told %v", err)
	}
}
