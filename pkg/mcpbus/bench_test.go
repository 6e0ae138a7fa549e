package mcpbus_test

import (
	"testing"

	"github.com/taskflow-suite/taskflow/pkg/mcpbus"
)

// BenchmarkRoundTrip is one call of a tool over a bus that takes no time: what the two ends and the SDK cost.
func BenchmarkRoundTrip(b *testing.B) {
	w, tools := &direct{}, &tools{}
	w.server = mcpbus.NewServer(mcpbus.ServerOptions{Bus: w, Config: settings, MCP: tools.server()})
	w.client = mcpbus.NewClient(w, settings, "chat-agent")
	s := connect(b, w.client, "u1")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := act(b.Context(), s, "x", ""); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkConnect is a session of a server that is known.
func BenchmarkConnect(b *testing.B) {
	w, tools := &direct{}, &tools{}
	w.server = mcpbus.NewServer(mcpbus.ServerOptions{Bus: w, Config: settings, MCP: tools.server()})
	w.client = mcpbus.NewClient(w, settings, "chat-agent")
	connect(b, w.client, "u1")
	b.ReportAllocs()
	for b.Loop() {
		s, err := w.client.Connect(b.Context(), "u1")
		if err != nil {
			b.Fatal(err)
		}
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
	}
}
