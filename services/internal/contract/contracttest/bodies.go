package contracttest

import (
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/labstack/echo/v4"

	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/services/internal/contract"
)

// Bodies are the decoders of a specification as requests reach them: by the name of the schema, what makes a new value of
// the generated type.
type Bodies struct {
	Spec    *openapi3.T
	Formats contract.Formats
	Types   map[string]func() any
}

// Compiled is the schema of that name.
func (b Bodies) Compiled(t testing.TB, name string) *contract.Schema {
	t.Helper()
	s, err := b.Formats.Compile(b.Spec.Components.Schemas[name])
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Wrong is what a schema says of a body, in one line; empty if it is right.
func (b Bodies) Wrong(t testing.TB, name, body string) string {
	t.Helper()
	fields, err := b.Compiled(t, name).Check([]byte(body))
	if err != nil {
		t.Fatal(err)
	}
	var said []string
	for _, f := range fields {
		said = append(said, f.Field+" "+f.Message)
	}
	return strings.Join(said, "; ")
}

// Complete fails the test if a body of the specification is not among the Types.
func (b Bodies) Complete(t *testing.T) {
	t.Helper()
	for path, item := range b.Spec.Paths.Map() {
		for method, op := range item.Operations() {
			if op.RequestBody == nil {
				continue
			}
			for _, content := range op.RequestBody.Value.Content {
				if content.Schema.Ref == "" && content.Schema.Value.Type.Is("string") {
					continue // text that the operation reads itself
				}
				name := content.Schema.Ref[strings.LastIndex(content.Schema.Ref, "/")+1:]
				if b.Types[name] == nil {
					t.Errorf("%s %s takes a %s, which is not tested", method, path, name)
				}
			}
		}
	}
}

// Fuzz holds our decoder against kin-openapi's reading of the same specification: what we accept it accepts, what we
// refuse it refuses (but for what is listed), and what we accept fits the generated type. seeds are bodies.
func (b Bodies) Fuzz(f *testing.F, seeds ...string) {
	b.Teach()
	schemas := map[string]*contract.Schema{}
	for name := range b.Types {
		schemas[name] = b.Compiled(f, name)
		for _, body := range seeds {
			f.Add(name, body)
		}
	}
	f.Fuzz(func(t *testing.T, name, body string) {
		ours, known := schemas[name]
		if !known {
			return
		}
		fields, err := ours.Check([]byte(body))
		if err != nil {
			if _, ok := errors.AsType[*echo.HTTPError](err); !ok {
				t.Fatalf("%q is refused with %v", body, err)
			}
			return
		}
		var value any
		if err := json.Unmarshal([]byte(body), &value); err != nil {
			t.Fatalf("%q was read and is no JSON: %v", body, err)
		}
		theirs := b.Spec.Components.Schemas[name].Value.VisitJSON(value, openapi3.EnableFormatValidation())
		switch {
		case len(fields) == 0 && theirs != nil:
			t.Errorf("%q is accepted against the specification: %v", body, theirs)
		case len(fields) > 0 && theirs == nil && !stricter(fields):
			t.Errorf("%q is refused against the specification: %v", body, fields)
		case len(fields) == 0:
			if err := json.Unmarshal([]byte(body), b.Types[name]()); err != nil {
				t.Errorf("%q is accepted and does not fit its type: %v", body, err)
			}
		}
	})
}

// stricter reports whether every refusal is one that a JSON schema cannot express.
func stricter(fields []errs.Field) bool {
	for _, f := range fields {
		if f.Message != "must be a whole number" && !strings.HasPrefix(f.Message, "must not contain control characters") &&
			!strings.HasPrefix(f.Message, "must be 0 to") && !strings.HasPrefix(f.Message, "must be 1 to") {
			return false
		}
	}
	return true
}

var teaching sync.Mutex

// Teach makes kin-openapi check our formats as we do.
func (b Bodies) Teach() {
	teaching.Lock()
	defer teaching.Unlock()
	formats := map[string]func(string) string{"uuid": contract.UUID}
	for name, check := range b.Formats {
		formats[name] = check
	}
	for name, check := range formats {
		openapi3.DefineStringFormatValidator(name, openapi3.NewCallbackValidator(func(s string) error {
			if wrong := check(s); wrong != "" {
				return errors.New(wrong)
			}
			return nil
		}))
	}
}
