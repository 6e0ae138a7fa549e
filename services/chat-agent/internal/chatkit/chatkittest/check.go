// Package chatkittest holds what is sent and received as ChatKit's against OpenAI's own definitions, in openai/schema.json.
// The types of the npm package @openai/chatkit (1.9.0) cannot be held against it: they describe the options and events of
// the page's element, and no message on the wire.
package chatkittest

import (
	_ "embed"
	"encoding/json"
	"strings"
	"sync"
	"testing"

	"github.com/google/jsonschema-go/jsonschema"
)

//go:embed openai/schema.json
var source []byte

// Shape is what a piece of JSON has to be.
type Shape string

// The shapes.
const (
	Request Shape = "received/request"
	Event   Shape = "sent/event"
	Thread  Shape = "sent/thread"
	Threads Shape = "sent/threads"
	Items   Shape = "sent/items"
)

var shapes = sync.OnceValues(func() (map[Shape]*jsonschema.Resolved, error) {
	var file map[string]json.RawMessage
	if err := json.Unmarshal(source, &file); err != nil {
		return nil, err
	}
	all := map[Shape]*jsonschema.Resolved{}
	for _, shape := range []Shape{Request, Event, Thread, Threads, Items} {
		direction, name, _ := strings.Cut(string(shape), "/")
		var schema jsonschema.Schema
		if err := json.Unmarshal(file[direction], &schema); err != nil {
			return nil, err
		}
		schema.Ref = "#/$defs/" + name
		resolved, err := schema.Resolve(nil)
		if err != nil {
			return nil, err
		}
		all[shape] = resolved
	}
	return all, nil
})

// Wrong is what OpenAI's definitions say against a piece of JSON; nil if nothing.
func Wrong(t testing.TB, shape Shape, raw string) error {
	t.Helper()
	all, err := shapes()
	if err != nil {
		t.Fatal(err)
	}
	var value any
	if err := json.Unmarshal([]byte(raw), &value); err != nil {
		return err
	}
	return all[shape].Validate(value)
}

// Check fails the test if OpenAI's definitions say something against a piece of JSON.
func Check(t testing.TB, shape Shape, raw string) {
	t.Helper()
	if err := Wrong(t, shape, raw); err != nil {
		t.Errorf("not OpenAI's %s: %v\n%s", shape, err, raw)
	}
}

// Stream checks a stream's events and returns it as it was written, but for two things that depend on how fast it was read:
// pieces of text that follow each other are put together, and comments are left out.
func Stream(t testing.TB, body string) string {
	t.Helper()
	var events []string
	rest, whole := strings.CutSuffix(body, "\n\n")
	if !whole {
		t.Errorf("the stream ends in the middle of an event: %q", body[max(0, len(body)-100):])
	}
	for one := range strings.SplitSeq(rest, "\n\n") {
		if strings.HasPrefix(one, ":") {
			continue
		}
		data, ok := strings.CutPrefix(one, "data: ")
		if !ok || strings.Contains(data, "\n") {
			t.Errorf("no event: %q", one)
			continue
		}
		Check(t, Event, data)
		if last := len(events) - 1; last >= 0 {
			if joined, ok := join(events[last], one); ok {
				events[last] = joined
				continue
			}
		}
		events = append(events, one)
	}
	return strings.Join(events, "\n\n") + "\n\n"
}

// join puts a piece of text to the one before it, if they are of one part.
func join(last, next string) (joined string, ok bool) {
	const member, end = `"delta":"`, `"}}`
	before, _, is := strings.Cut(last, member)
	if !is {
		return "", false
	}
	more, is := strings.CutPrefix(next, before+member)
	return strings.TrimSuffix(last, end) + more, is
}
