package testkit

import (
	"context"
	"encoding/hex"
	"fmt"
	"maps"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	otlp "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/grpc"
)

// Traces receives spans with OTLP over gRPC, as a collector does, and keeps them for the test.
type Traces struct {
	// Endpoint is what OTEL_EXPORTER_OTLP_ENDPOINT is to be.
	Endpoint string

	mu    sync.Mutex
	spans map[string][]Span // by trace
}

// Span is a span that arrived.
type Span struct {
	// Trace, ID and Parent are in hex; Parent is empty for the first span of a trace.
	Trace, ID, Parent string
	// Service is the resource's service.name. A sidecar has its service's.
	Service, Name string
	Kind          string
	// Attributes have their values as text, those of the resource, the span's events and its status included.
	Attributes   map[string]string
	Began, Ended time.Time
	Failed       bool
}

// String is the span as paths name it.
func (s Span) String() string { return s.Service + " " + s.Name }

// NewTraces receives until the test ends.
func NewTraces(t testing.TB) *Traces {
	t.Helper()
	var listen net.ListenConfig
	l, err := listen.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	traces := &Traces{Endpoint: "http://" + l.Addr().String(), spans: map[string][]Span{}}
	server := grpc.NewServer()
	collector.RegisterTraceServiceServer(server, receiver{traces: traces})
	var serving sync.WaitGroup
	serving.Go(func() { _ = server.Serve(l) })
	t.Cleanup(func() {
		server.Stop()
		serving.Wait()
	})
	return traces
}

type receiver struct {
	collector.UnimplementedTraceServiceServer
	traces *Traces
}

// Export is the collector's one method.
func (r receiver) Export(_ context.Context, request *collector.ExportTraceServiceRequest) (*collector.ExportTraceServiceResponse, error) {
	r.traces.mu.Lock()
	defer r.traces.mu.Unlock()
	for _, from := range request.GetResourceSpans() {
		about := map[string]string{}
		add(about, "resource.", from.GetResource().GetAttributes())
		for _, scope := range from.GetScopeSpans() {
			for _, s := range scope.GetSpans() {
				span := arrived(about, s)
				r.traces.spans[span.Trace] = append(r.traces.spans[span.Trace], span)
			}
		}
	}
	return &collector.ExportTraceServiceResponse{}, nil
}

func arrived(about map[string]string, s *otlp.Span) Span {
	attributes := maps.Clone(about)
	add(attributes, "", s.GetAttributes())
	for i, e := range s.GetEvents() {
		name := fmt.Sprintf("event.%d.", i)
		attributes[name+"name"] = e.GetName()
		add(attributes, name, e.GetAttributes())
	}
	if m := s.GetStatus().GetMessage(); m != "" {
		attributes["status"] = m
	}
	return Span{
		Trace: hex.EncodeToString(s.GetTraceId()), ID: hex.EncodeToString(s.GetSpanId()), Parent: hex.EncodeToString(s.GetParentSpanId()),
		Service: about["resource.service.name"], Name: s.GetName(), Kind: strings.ToLower(strings.TrimPrefix(s.GetKind().String(), "SPAN_KIND_")),
		Attributes: attributes, Failed: s.GetStatus().GetCode() == otlp.Status_STATUS_CODE_ERROR,
		Began: instant(s.GetStartTimeUnixNano()), Ended: instant(s.GetEndTimeUnixNano()),
	}
}

func instant(nanoseconds uint64) time.Time {
	return time.Unix(0, int64(nanoseconds)) //nolint:gosec // G115: of this century
}

func add(to map[string]string, prefix string, attributes []*common.KeyValue) {
	for _, a := range attributes {
		value := a.GetValue()
		if text, ok := value.GetValue().(*common.AnyValue_StringValue); ok {
			to[prefix+a.GetKey()] = text.StringValue
			continue
		}
		to[prefix+a.GetKey()] = value.String()
	}
}

// Of are the spans of a trace so far, those that began earlier first.
func (t *Traces) Of(trace string) []Span {
	t.mu.Lock()
	defer t.mu.Unlock()
	spans := slices.Clone(t.spans[trace])
	slices.SortStableFunc(spans, func(a, b Span) int { return a.Began.Compare(b.Began) })
	return spans
}

// All are the spans of all traces so far.
func (t *Traces) All() []Span {
	t.mu.Lock()
	defer t.mu.Unlock()
	var spans []Span
	for _, of := range t.spans {
		spans = append(spans, of...)
	}
	return spans
}

// Tree is a trace as indented lines, for people: who, what, and for how long.
func (t *Traces) Tree(trace string) string {
	spans := t.Of(trace)
	var out strings.Builder
	var tell func(parent string, depth int)
	tell = func(parent string, depth int) {
		for _, s := range spans {
			if s.Parent == parent {
				fmt.Fprintf(&out, "%s%s (%s, %s)\n", strings.Repeat("  ", depth), s, s.Kind, s.Ended.Sub(s.Began).Round(time.Microsecond))
				tell(s.ID, depth+1)
			}
		}
	}
	for _, root := range roots(spans) {
		tell(root, 0)
	}
	return out.String()
}

// Roots are the parents that are not in the trace, as far as it has come: of a whole trace that is one, that of whoever
// began it, or nobody's ("").
func (t *Traces) Roots(trace string) []string { return roots(t.Of(trace)) }

func roots(spans []Span) []string {
	known := map[string]bool{}
	for _, s := range spans {
		known[s.ID] = true
	}
	var missing []string
	for _, s := range spans {
		if !known[s.Parent] && !slices.Contains(missing, s.Parent) {
			missing = append(missing, s.Parent)
		}
	}
	return missing
}

// Await waits until a trace has all paths and a single root, and fails with the tree otherwise. A path names spans,
// "service name", from the first one down: " > " before a child of the one before, " >> " before anything below it.
func (t *Traces) Await(tb testing.TB, trace string, paths ...string) {
	tb.Helper()
	Eventually(tb, "the trace "+trace, func(context.Context) (bool, any) {
		spans := t.Of(trace)
		for _, p := range paths {
			if !has(spans, p) {
				return false, fmt.Errorf("no %s in\n%s", p, t.Tree(trace))
			}
		}
		if missing := roots(spans); len(missing) != 1 {
			return false, fmt.Errorf("%d spans that did not come are the parents of others: %s in\n%s", len(missing)-1, missing, t.Tree(trace))
		}
		return true, nil
	})
}

// has reports whether spans have a path; see Await.
func has(spans []Span, path string) bool {
	var at map[string]bool // the spans that the path so far ends with; nil before its first
	for _, generation := range strings.Split(path, " >> ") {
		for i, name := range strings.Split(generation, " > ") {
			next := map[string]bool{}
			for _, s := range spans {
				if s.String() == name && (at == nil || at[s.Parent] || i == 0 && below(spans, s, at)) {
					next[s.ID] = true
				}
			}
			at = next
		}
	}
	return len(at) > 0
}

// below reports whether one of some spans is an ancestor of s.
func below(spans []Span, s Span, ancestors map[string]bool) bool {
	for range spans { // no path is longer, and one that turns in a circle ends
		if ancestors[s.Parent] {
			return true
		}
		i := slices.IndexFunc(spans, func(p Span) bool { return p.ID == s.Parent })
		if i < 0 {
			return false
		}
		s = spans[i]
	}
	return false
}
