package testkit

import (
	"testing"
	"time"
)

func TestPathsOfATrace(t *testing.T) {
	t.Parallel()
	at := time.Unix(1_700_000_000, 0)
	span := func(id, parent, service, name string) Span {
		return Span{Trace: "t", ID: id, Parent: parent, Service: service, Name: name, Began: at, Ended: at.Add(time.Millisecond)}
	}
	spans := []Span{
		span("1", "", "api", "GET /"), span("2", "1", "api", "transaction"), span("3", "2", "api", "publish x"),
		span("4", "3", "worker", "process x"), span("5", "1", "api", "publish x"),
	}
	for name, c := range map[string]struct {
		path string
		want bool
	}{
		"one span":                            {"api GET /", true},
		"a child":                             {"api GET / > api transaction", true},
		"a child's child":                     {"api GET / > api transaction > api publish x > worker process x", true},
		"anything below":                      {"api GET / >> worker process x", true},
		"a child counts as below":             {"api GET / >> api transaction", true},
		"a child of one of two":               {"api GET / >> api publish x > worker process x", true},
		"not a grandchild as a child":         {"api GET / > worker process x", false},
		"not the parent below":                {"api transaction >> api GET /", false},
		"not another service's":               {"worker GET /", false},
		"not one that did not come":           {"api GET / > api commit", false},
		"not a child of the other of the two": {"api GET / > api publish x > worker process x", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := has(spans, c.path); got != c.want {
				t.Errorf("%q is found: %v", c.path, got)
			}
		})
	}
	if got := roots(spans); len(got) != 1 || got[0] != "" {
		t.Errorf("the roots are %q", got)
	}
	if got := roots(spans[1:]); len(got) != 1 || got[0] != "1" {
		t.Errorf("without the first, the roots are %q", got)
	}
	circle := []Span{span("1", "2", "a", "x"), span("2", "1", "a", "y")}
	if has(circle, "a z >> a x") {
		t.Error("found in a circle")
	}
}
