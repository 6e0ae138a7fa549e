package tools

import (
	"encoding/json"
	"regexp"
	"strings"

	"github.com/google/jsonschema-go/jsonschema"

	"github.com/taskflow-suite/taskflow/pkg/errs"
)

// checker checks a tool's input against the schema that clients see: the items of a batch one by one, so that a wrong one
// fails alone.
type checker struct {
	whole *jsonschema.Resolved
	item  *jsonschema.Resolved
}

// batchField is the input's field that has the items of a batch, when they are objects.
const batchField = "tasks"

func newChecker(input *jsonschema.Schema) *checker {
	c := &checker{}
	whole := input.CloneSchemas()
	if of, ok := whole.Properties[batchField]; ok && of.Type == "array" {
		c.item = resolved(of.Items.CloneSchemas())
		of.Items = &jsonschema.Schema{}
	}
	c.whole = resolved(whole)
	return c
}

func resolved(s *jsonschema.Schema) *jsonschema.Resolved {
	r, err := s.Resolve(nil)
	if err != nil {
		panic(err) // a schema of this package
	}
	return r
}

// arguments parses a call's input. errs.Invalid says what is wrong with it, but for the items of a batch.
func (c *checker) arguments(raw json.RawMessage) (map[string]any, error) {
	input := map[string]any{}
	if len(raw) > 0 {
		if err := json.Unmarshal(raw, &input); err != nil {
			return map[string]any{}, errs.New(errs.Invalid, "the arguments must be a JSON object")
		}
	}
	if input == nil { // null, which some clients send for nothing
		input = map[string]any{}
	}
	return input, plain(c.whole.Validate(input))
}

// into checks one item of a batch and unpacks it.
func (c *checker) into(item any, to any) error {
	if err := plain(c.item.Validate(item)); err != nil {
		return err
	}
	return unpack(item, to)
}

// unpack turns what was checked into a struct.
func unpack(from, to any) error {
	raw, err := json.Marshal(from)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(raw, to); err != nil {
		return errs.Because(err, errs.Invalid, "the arguments do not fit the schema")
	}
	return nil
}

// where is the way to what a schema refuses, as the library tells it.
var where = regexp.MustCompile(`^(?:validating (root|/[^ ]*): )+`)

// plain is the library's error in fewer words: the field, and what is wrong with it.
func plain(err error) error {
	if err == nil {
		return nil
	}
	said := err.Error()
	field := ""
	if found := where.FindStringSubmatch(said); found != nil {
		said = said[len(found[0]):]
		field = strings.NewReplacer("/properties/", ".", "/items", "[]", "root", "").Replace(found[1])
	}
	switch {
	case strings.HasPrefix(said, "unexpected additional properties "):
		said = "unknown fields " + strings.TrimPrefix(said, "unexpected additional properties ")
	case strings.HasPrefix(said, "required: missing properties: "):
		said = "missing fields " + strings.TrimPrefix(said, "required: missing properties: ")
	}
	if field = strings.TrimPrefix(field, "."); field != "" {
		said = field + ": " + said
	}
	return errs.Because(err, errs.Invalid, "%s", said)
}
