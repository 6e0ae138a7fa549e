// Package contracttest holds a door's answers against its specification, and its decoders against another reading of the
// same specification.
package contracttest

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/legacy"
)

// Recorder holds every answer it is shown against the specification and remembers which statuses were shown.
type Recorder struct {
	// Spec is the specification.
	Spec   *openapi3.T
	router routers.Router
	mu     sync.Mutex
	seen   map[string]bool
}

// texts are bodies that are text without a schema of their own.
var texts = []string{"text/event-stream", "text/calendar"}

// NewRecorder makes a Recorder of the embedded specification. It panics if that cannot be read: it is made before tests
// run.
func NewRecorder(embedded func() (*openapi3.T, error)) *Recorder {
	for _, mediaType := range texts {
		openapi3filter.RegisterBodyDecoder(mediaType, openapi3filter.PlainBodyDecoder)
	}
	spec, err := embedded()
	if err != nil {
		panic(err)
	}
	router, err := legacy.NewRouter(spec)
	if err != nil {
		panic(err)
	}
	return &Recorder{Spec: spec, router: router, seen: map[string]bool{}}
}

// See fails the test if an answer is not as the specification says. Requests to an address of no operation are passed
// over. body is the answer's body, which has been read already.
func (r *Recorder) See(t testing.TB, request *http.Request, response *http.Response, body []byte) {
	t.Helper()
	plain := request.Clone(request.Context())
	plain.URL.Scheme, plain.URL.Host, plain.Host = "", "", ""
	route, params, err := r.router.FindRoute(plain)
	if err != nil {
		return
	}
	name := route.Operation.OperationID + " " + strconv.Itoa(response.StatusCode)
	r.mu.Lock()
	r.seen[name] = true
	r.mu.Unlock()
	err = openapi3filter.ValidateResponse(request.Context(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{Request: plain, PathParams: params, Route: route},
		Status:                 response.StatusCode, Header: response.Header, Body: io.NopCloser(bytes.NewReader(body)),
		Options: &openapi3filter.Options{IncludeResponseStatus: true, MultiError: true},
	})
	if err != nil {
		t.Errorf("%s is not as the specification says: %v", name, err)
	}
	needs := map[int]string{401: "Www-Authenticate", 429: "Retry-After", 503: "Retry-After"}
	if header := needs[response.StatusCode]; header != "" && response.Header.Get(header) == "" {
		t.Errorf("%s lacks the header %s", name, header)
	}
}

// unshown lists what the specification names and no test has shown.
func (r *Recorder) unshown() []string {
	var missing []string
	for _, item := range r.Spec.Paths.Map() {
		for _, op := range item.Operations() {
			for status := range op.Responses.Map() {
				if !r.seen[op.OperationID+" "+status] {
					missing = append(missing, op.OperationID+" "+status)
				}
			}
		}
	}
	slices.Sort(missing)
	return missing
}

// Main runs the tests and ends the process. It fails if a documented status was shown by no test, provided that all
// tests ran.
func (r *Recorder) Main(m *testing.M) {
	slog.SetDefault(slog.New(slog.DiscardHandler)) // a line per request hides what a failure says
	code := m.Run()
	all := flag.Lookup("test.run").Value.String() == "" && flag.Lookup("test.fuzz").Value.String() == "" && flag.Lookup("test.skip").Value.String() == "" &&
		flag.Lookup("test.list").Value.String() == "" && flag.Lookup("test.fuzzworker").Value.String() == "false"
	if missing := r.unshown(); all && code == 0 && len(missing) > 0 {
		fmt.Fprintf(os.Stderr, "no test shows these documented answers:\n\t%s\n", strings.Join(missing, "\n\t"))
		code = 1
	}
	os.Exit(code)
}
