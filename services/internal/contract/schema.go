package contract

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/google/uuid"

	"github.com/taskflow-suite/taskflow/pkg/errs"
)

// MaxWrong is how many wrong fields one answer names.
const MaxWrong = 50

// Schema is a schema of the specification, compiled. kin-openapi could check values too, but after encoding/json has
// dropped repeated names, and in words for developers of validators. contracttest.FuzzBodies holds both against each
// other.
type Schema struct {
	kind     kind
	integer  bool
	nullable bool
	// message, x-message in the specification, replaces what the kind and pattern would say.
	message string

	properties map[string]*Schema
	required   []string
	// open says that other members are passed over: the caller's program is not ours, and may know more than we do.
	open bool

	items              *Schema
	minItems, maxItems int // maxItems -1: any

	minLength, maxLength int // maxLength -1: any
	enum                 []string
	pattern              *regexp.Regexp
	// format says what is wrong with a string, nothing if it is right.
	format func(string) string

	min, max *float64

	// alternatives are told apart by the kind of value or, with a discriminator, by that member.
	alternatives  []*Schema
	discriminator string
	mapping       map[string]*Schema
}

// Formats are the formats of strings that are checked besides uuid, each a function that says what is wrong with a value,
// nothing if it is right; the others only inform.
type Formats map[string]func(string) string

// check is the format of that name, nil if it is not checked.
func (f Formats) check(name string) func(string) string {
	if own := f[name]; own != nil || name != "uuid" {
		return own
	}
	return UUID
}

// UUID is the format uuid: the 36 characters of RFC 9562 and no other spelling.
func UUID(s string) string {
	if len(s) != 36 || uuid.Validate(s) != nil {
		return "must be a UUID"
	}
	return ""
}

// Compile compiles a schema of a request. It fails on anything it would not check.
func (f Formats) Compile(ref *openapi3.SchemaRef) (*Schema, error) {
	v := ref.Value
	s := &Schema{nullable: v.Nullable, maxItems: -1, maxLength: -1, min: v.Min, max: v.Max}
	s.message, _ = v.Extensions["x-message"].(string)
	if len(v.AllOf)+len(v.AnyOf) > 0 || v.Not != nil || v.MultipleOf != nil || v.UniqueItems || v.MinProps > 0 || v.MaxProps != nil {
		return nil, errors.New("a request's schema uses allOf, anyOf, not, multipleOf, uniqueItems or a number of properties, which are not checked")
	}
	if len(v.OneOf) > 0 {
		return s, s.compileOneOf(v, f)
	}
	for _, e := range v.Enum {
		if e != nil {
			s.enum = append(s.enum, fmt.Sprint(e))
		}
	}
	switch {
	case v.Type.Is("object"):
		return s, s.compileObject(v, f)
	case v.Type.Is("array"):
		s.kind, s.minItems = array, int(v.MinItems) //nolint:gosec // G115: from our own specification
		if v.MaxItems != nil {
			s.maxItems = int(*v.MaxItems) //nolint:gosec // G115: from our own specification
		}
		var err error
		s.items, err = f.Compile(v.Items)
		return s, err
	case v.Type.Is("string"):
		s.kind, s.minLength = text, int(v.MinLength) //nolint:gosec // G115: from our own specification
		if v.MaxLength != nil {
			s.maxLength = int(*v.MaxLength) //nolint:gosec // G115: from our own specification
		}
		s.format = f.check(v.Format)
		if v.Pattern != "" {
			var err error
			if s.pattern, err = regexp.Compile(v.Pattern); err != nil {
				return nil, err
			}
		}
		return s, nil
	case v.Type.Is("integer"):
		s.kind, s.integer = number, true
		return s, nil
	case v.Type.Is("boolean"):
		s.kind = boolean
		return s, nil
	default:
		return nil, fmt.Errorf("a request's schema has the type %v, which is not checked", v.Type)
	}
}

func (s *Schema) compileObject(v *openapi3.Schema, f Formats) error {
	if v.AdditionalProperties.Has == nil {
		return errors.New("an object in a request lacks additionalProperties: false, or true where the callers are programs of others")
	}
	s.kind, s.required, s.properties, s.open = object, v.Required, map[string]*Schema{}, *v.AdditionalProperties.Has
	for name, ref := range v.Properties {
		property, err := f.Compile(ref)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		s.properties[name] = property
	}
	return nil
}

func (s *Schema) compileOneOf(v *openapi3.Schema, f Formats) error {
	byRef := map[string]*Schema{}
	for _, ref := range v.OneOf {
		alternative, err := f.Compile(ref)
		if err != nil {
			return err
		}
		s.alternatives = append(s.alternatives, alternative)
		byRef[ref.Ref] = alternative
	}
	if v.Discriminator == nil {
		for i, a := range s.alternatives {
			if slices.ContainsFunc(s.alternatives[:i], func(b *Schema) bool { return a.kind == b.kind }) {
				return errors.New("two alternatives are of one type and there is no discriminator")
			}
		}
		return nil
	}
	s.discriminator, s.mapping = v.Discriminator.PropertyName, map[string]*Schema{}
	for value, target := range v.Discriminator.Mapping {
		if s.mapping[value] = byRef[target.Ref]; s.mapping[value] == nil {
			return fmt.Errorf("the discriminator maps %s to %s, which is no alternative", value, target.Ref)
		}
		s.enum = append(s.enum, value)
	}
	slices.Sort(s.enum)
	return nil
}

// findings collects wrong fields.
type findings struct{ fields []errs.Field }

func (f *findings) add(path, format string, args ...any) {
	if len(f.fields) < MaxWrong {
		f.fields = append(f.fields, errs.Field{Field: path, Message: fmt.Sprintf(format, args...)})
	}
}

// Check reads a body as a request's is read and names its wrong fields. The error is that of a body that is not JSON.
func (s *Schema) Check(body []byte) ([]errs.Field, error) {
	value, err := parse(body)
	if err != nil {
		return nil, err
	}
	var found findings
	s.check(&value, "", &found)
	return found.fields, nil
}

// check holds a value against the schema. path is the value's place in the request, "" for the body itself.
func (s *Schema) check(n *node, path string, found *findings) {
	if n.kind == null {
		if !s.nullable {
			found.add(orBody(path), "must not be null")
		}
		return
	}
	if s.discriminator != "" {
		s.checkDiscriminated(n, path, found)
		return
	}
	if len(s.alternatives) > 0 {
		for _, a := range s.alternatives {
			if a.kind == n.kind {
				if len(a.enum) > 0 && !slices.Contains(a.enum, n.text) {
					break
				}
				a.check(n, path, found)
				return
			}
		}
		found.add(orBody(path), "%s", s.message)
		return
	}
	if n.kind != s.kind {
		found.add(orBody(path), "%s", s.wanted())
		return
	}
	switch s.kind {
	case object:
		s.checkObject(n, path, found)
	case array:
		s.checkArray(n, path, found)
	case text:
		if wrong := s.checkText(n.text); wrong != "" {
			found.add(orBody(path), "%s", wrong)
		}
	case number:
		if wrong := s.checkInteger(n.text); wrong != "" {
			found.add(orBody(path), "%s", wrong)
		}
	case null, boolean: // a value of the kind says all
	}
}

func orBody(path string) string {
	if path == "" {
		return "body"
	}
	return path
}

func (s *Schema) wanted() string {
	switch s.kind {
	case object:
		return "must be an object"
	case array:
		return "must be a list"
	case text:
		return "must be a string"
	case number:
		return "must be a whole number"
	default:
		return "must be true or false"
	}
}

func (s *Schema) checkDiscriminated(n *node, path string, found *findings) {
	if n.kind != object {
		found.add(orBody(path), "must be an object")
		return
	}
	which := n.member(s.discriminator)
	if which == nil {
		found.add(join(path, s.discriminator), "is required")
		return
	}
	chosen := s.mapping[which.text]
	if which.kind != text || chosen == nil {
		found.add(join(path, s.discriminator), "must be %s", choice(s.enum))
		return
	}
	chosen.check(n, path, found)
}

func (s *Schema) checkObject(n *node, path string, found *findings) {
	for i := range n.members {
		m := &n.members[i]
		if property, known := s.properties[m.name]; known {
			property.check(&m.value, join(path, m.name), found)
		} else if !s.open {
			found.add(join(path, Clip(m.name)), "is not a known field")
		}
	}
	for _, name := range s.required {
		if n.member(name) == nil {
			found.add(join(path, name), "is required")
		}
	}
}

// Clip keeps a name the caller made up from filling the answer.
func Clip(name string) string {
	const most = 64
	if utf8.RuneCountInString(name) <= most {
		return name
	}
	return string([]rune(name)[:most]) + "…"
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

func (s *Schema) checkArray(n *node, path string, found *findings) {
	if wrong := s.checkCount(len(n.items)); wrong != "" {
		found.add(orBody(path), "%s", wrong)
		return
	}
	for i := range n.items {
		s.items.check(&n.items[i], path+"["+strconv.Itoa(i)+"]", found)
	}
}

func (s *Schema) checkCount(n int) string {
	switch {
	case s.maxItems >= 0 && n > s.maxItems:
		return fmt.Sprintf("must have at most %d items, not %d", s.maxItems, n)
	case n < s.minItems:
		return fmt.Sprintf("must have at least %d items, not %d", s.minItems, n)
	default:
		return ""
	}
}

func (s *Schema) checkText(value string) string {
	if strings.ContainsRune(value, 0) || !utf8.ValidString(value) {
		return "must not contain control characters or invalid UTF-8"
	}
	if len(s.enum) > 0 {
		if !slices.Contains(s.enum, value) {
			return "must be " + choice(s.enum)
		}
		return ""
	}
	if s.minLength > 0 || s.maxLength >= 0 && len(value) > s.maxLength {
		n := utf8.RuneCountInString(value)
		switch {
		case s.message != "" && (n < s.minLength || s.maxLength >= 0 && n > s.maxLength):
			return s.message
		case n < s.minLength && n == 0:
			return "must not be empty"
		case n < s.minLength:
			return fmt.Sprintf("must be at least %d characters, not %d", s.minLength, n)
		case s.maxLength >= 0 && n > s.maxLength:
			return fmt.Sprintf("must be at most %d characters, not %d", s.maxLength, n)
		}
	}
	if s.pattern != nil && !s.pattern.MatchString(value) {
		if s.message != "" {
			return s.message
		}
		return "must match " + s.pattern.String()
	}
	if s.format != nil {
		return s.format(value)
	}
	return ""
}

// checkInteger checks a number as it is written: 5.0 and 5e0 are whole, but readers of JSON differ in what they make
// of them, so only digits will do.
func (s *Schema) checkInteger(written string) string {
	value, err := strconv.ParseInt(written, 10, 64)
	tooLarge := err != nil && strings.Trim(written, "-0123456789") == ""
	switch {
	case err != nil && !tooLarge:
		return "must be a whole number"
	case s.min != nil && s.max != nil && (tooLarge || float64(value) < *s.min || float64(value) > *s.max):
		return fmt.Sprintf("must be %.0f to %.0f", *s.min, *s.max)
	case s.min != nil && s.max == nil && !tooLarge && float64(value) < *s.min:
		return fmt.Sprintf("must be at least %.0f", *s.min)
	case tooLarge:
		return "is too large"
	default:
		return ""
	}
}

// choice reads as a sentence: a, b or c.
func choice(values []string) string {
	if len(values) == 1 {
		return values[0]
	}
	last := len(values) - 1
	return strings.Join(values[:last], ", ") + " or " + values[last]
}
