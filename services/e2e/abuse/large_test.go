package abuse_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// request is one that is too large in some way, and what it may be answered with; 0 is no answer, where the server hangs up
// on what it does not want to read.
type request struct {
	name, method, path string
	header             http.Header
	body               func() io.Reader
	answers            []int
}

const mebibyte = 1 << 20

// tooLarge sends what is too large to every door, straight and through the origin.
func (w *world) tooLarge(t *testing.T) {
	c := plain()
	for _, part := range append([]string{"origin"}, doors...) {
		for _, r := range w.large(part) {
			began := time.Now()
			var body io.Reader
			if r.body != nil {
				body = r.body()
			}
			status, text := w.ask(t, c, r.method, w.URL(part)+r.path, r.header, body)
			allowed := fmt.Sprint(r.answers)
			if !strings.Contains(allowed, fmt.Sprint(status)) {
				t.Errorf("%s: %s gets %d %.200s, expected one of %v", part, r.name, status, text, r.answers)
			}
			if took := time.Since(began); took > 10*time.Second {
				t.Errorf("%s: %s takes %s", part, r.name, took)
			}
		}
	}
}

func (w *world) large(part string) []request {
	good := bearer(w.issuer.token("ada"))
	with := func(name string, values ...string) http.Header {
		h := good.Clone()
		h[name] = values
		return h
	}
	// What a request gets that is not too large anywhere else: most doors do not know the path.
	path := map[string]string{"chat-agent": userPath("ada", "/conversations"), "mcp-tools": "/mcp", "notifier": "/ws/user/ada/tasks"}[part]
	if path == "" {
		path = userPath("ada", "/tasks")
	}
	long := strings.Repeat("a", 100<<10)
	var many []string
	for range 20_000 {
		many = append(many, "v")
	}
	headers := []int{431, 400, 0}
	all := []request{
		{"an address of 100 KiB", http.MethodGet, "/" + long, good, nil, []int{431, 414, 400, 0}},
		{"a query of 100 KiB", http.MethodGet, path + "?q=" + long, good, nil, []int{431, 414, 400, 0}},
		{"a header of 100 KiB", http.MethodGet, path, with("X-Long", long), nil, headers},
		{"a cookie of 100 KiB", http.MethodGet, path, with("Cookie", "a="+long), nil, headers},
		{"a token of 100 KiB", http.MethodGet, path, bearer(long), nil, headers},
		{"twenty thousand headers", http.MethodGet, path, with("X-Many", many...), nil, headers},
		{"a correlation id of 20 KiB", http.MethodOptions, path, with("X-Correlation-Id", long[:20<<10]), nil, []int{200, 204, 400, 401, 403, 404, 405, 431}},
		{"a method that is none", "BREW" + strings.Repeat("X", 1000), path, good, nil, []int{400, 401, 403, 404, 405, 501}},
	}
	post := func(name, path string, body func() io.Reader, answers ...int) {
		all = append(all, request{name, http.MethodPost, path, with("Accept", "application/json, text/event-stream"), body, answers})
	}
	text := func(s string) func() io.Reader { return func() io.Reader { return strings.NewReader(s) } }
	zeros := func(n int) func() io.Reader {
		// Without a length, as a stream would be sent.
		return func() io.Reader { return io.LimitReader(struct{ io.Reader }{endless{}}, int64(n)) }
	}
	// The origin shows a token of the issuer to either replica, one of which has another secret.
	bodies := func(path string, refusals ...int) {
		refusals = append(refusals, 401)
		post("2 MiB", path, func() io.Reader { return bytes.NewReader(bytes.Repeat([]byte(" "), 2*mebibyte)) }, append(refusals, 413, 0)...)
		post("2 MiB of a stream", path, zeros(2*mebibyte), append(refusals, 413, 0)...)
		post("64 MiB of a stream", path, zeros(64*mebibyte), append(refusals, 413, 0)...)
		post("JSON nested 100,000 deep", path, text(strings.Repeat("[", 100_000)+strings.Repeat("]", 100_000)), append(refusals, 400, 413, 422)...)
		post("JSON of 300,000 values", path, text("["+strings.Repeat("0,", 300_000)+"0]"), append(refusals, 400, 413, 422)...)
		post("a number of 500,000 digits", path, text(`{"title":"x","priority":`+strings.Repeat("9", 500_000)+`}`), append(refusals, 400, 413, 422)...)
	}
	switch part {
	case "task-api", "origin":
		tasks := userPath("ada", "/tasks")
		bodies(tasks)
		post("a title of 201 letters", tasks, text(`{"title":"`+strings.Repeat("ä", 201)+`"}`), 422, 401)
		post("a description of 10,001 letters", tasks, text(`{"title":"x","description":"`+strings.Repeat("ä", 10_001)+`"}`), 422, 401)
		post("21 tags", tasks, text(`{"title":"x","tags":[`+strings.Repeat(`"t",`, 20)+`"t"]}`), 422, 401)
		op := `{"op":"create","task":{"title":"x"}}`
		post("a batch of 101", userPath("ada", "/tasks/batch"), text(`{"operations":[`+strings.Repeat(op+",", 100)+op+`]}`), 422, 401)
		post("an import of 64 MiB", userPath("ada", "/import"), zeros(64*mebibyte), 413, 415, 422, 401, 0)
		all = append(all, request{"a page of 201", http.MethodGet, tasks + "?limit=201", good, nil, []int{422, 401}},
			request{"a cursor of 20 KiB", http.MethodGet, tasks + "?cursor=" + long[:20<<10], good, nil, []int{400, 422, 401}},
			request{"5,000 parameters", http.MethodGet, tasks + "?" + strings.Repeat("a=1&", 5000), good, nil, []int{422, 400, 401}})
	case "chat-agent":
		bodies(userPath("ada", "/chat"))
		post("a message of 500,000 letters", userPath("ada", "/chat"), text(`{"message":"`+strings.Repeat("a", 500_000)+`"}`), 413, 422, 0)
	case "mcp-tools":
		bodies("/mcp", 400)
		call := `{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{}}`
		post("a batch of 5,000 calls", "/mcp", text("["+strings.Repeat(call+",", 5000)+call+"]"), 200, 202, 400, 413)
		// An answer of the protocol tells what is wrong, in a body of status 200.
		post("a tool nobody has", "/mcp", text(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"`+strings.Repeat("x", 100_000)+`","arguments":{}}}`), 200, 400, 413)
		post("501 tasks in a call", "/mcp", text(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"add_tasks","arguments":{"tasks":[`+
			strings.Repeat(`{"title":"x"},`, 500)+`{"title":"x"}]}}}`), 200, 400, 413)
	}
	return all
}

// endless is spaces, which are JSON's white space.
type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}
