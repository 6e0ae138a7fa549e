package contract

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/labstack/echo/v4"

	"github.com/taskflow-suite/taskflow/pkg/errs"
)

// operation is what the specification says of an operation's requests.
type operation struct {
	path       []parameter
	query      []parameter
	header     []parameter
	mediaTypes []string // none: it takes no body
	// body is nil of an operation that takes text and reads it itself.
	body *Schema
}

type parameter struct {
	name     string
	required bool
	schema   *Schema
}

// compileOperations compiles every operation of the specification, by its id.
func compileOperations(spec *openapi3.T, formats Formats) (map[string]*operation, error) {
	all := map[string]*operation{}
	for path, item := range spec.Paths.Map() {
		for method, op := range item.Operations() {
			compiled, err := compileOperation(item, op, formats)
			if err != nil {
				return nil, fmt.Errorf("%s %s: %w", method, path, err)
			}
			all[op.OperationID] = compiled
		}
	}
	return all, nil
}

func compileOperation(item *openapi3.PathItem, op *openapi3.Operation, formats Formats) (*operation, error) {
	o := &operation{}
	for _, ref := range slices.Concat(item.Parameters, op.Parameters) {
		s, err := formats.Compile(ref.Value.Schema)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", ref.Value.Name, err)
		}
		p := parameter{ref.Value.Name, ref.Value.Required, s}
		switch ref.Value.In {
		case openapi3.ParameterInPath:
			o.path = append(o.path, p)
		case openapi3.ParameterInQuery:
			o.query = append(o.query, p)
		case openapi3.ParameterInHeader:
			o.header = append(o.header, p)
		default:
			return nil, fmt.Errorf("%s: parameters in %s are not checked", ref.Value.Name, ref.Value.In)
		}
	}
	if op.RequestBody == nil {
		return o, nil
	}
	for mediaType, content := range op.RequestBody.Value.Content {
		o.mediaTypes = append(o.mediaTypes, mediaType)
		if mediaType == anyText {
			continue
		}
		s, err := formats.Compile(content.Schema)
		if err != nil {
			return nil, fmt.Errorf("body: %w", err)
		}
		// All media types of one operation have one schema.
		o.body = s
	}
	slices.Sort(o.mediaTypes)
	if o.body != nil && slices.Contains(o.mediaTypes, anyText) {
		return nil, errors.New("body: an operation takes JSON or text, not both")
	}
	return o, nil
}

// anyText is the media type of a body that is some text; the operation says which and reads it itself.
const anyText = "text/*"

// bodyKey is where the checked body waits for the binder.
const bodyKey = "taskflow.body"

// bodyContext carries the bytes of a body to the operations that tell requests apart by them.
type bodyContext struct{}

const idempotencyKey = "Idempotency-Key"

// BodyOf is the body of a request that has an Idempotency-Key, as it was sent; nil without one.
func BodyOf(ctx context.Context) []byte {
	body, _ := ctx.Value(bodyContext{}).([]byte)
	return body
}

// enforce is the middleware that lets only requests through that are as the specification says. It comes after the one that checks
// who calls.
func (o *operation) enforce(next echo.HandlerFunc) echo.HandlerFunc {
	return func(e echo.Context) error {
		var found findings
		if err := o.checkParameters(e, &found); err != nil {
			return err
		}
		if len(o.mediaTypes) > 0 {
			if err := o.declared(e); err != nil {
				return err
			}
		}
		if o.body != nil {
			body, err := read(e)
			if err != nil {
				return err
			}
			value, err := parse(body)
			if err != nil {
				return err
			}
			o.body.check(&value, "", &found)
			e.Set(bodyKey, body)
			if e.Request().Header.Get(idempotencyKey) != "" {
				r := e.Request()
				e.SetRequest(r.WithContext(context.WithValue(r.Context(), bodyContext{}, body)))
			}
		}
		if err := errs.InvalidFields(found.fields...); err != nil {
			return err
		}
		return next(e)
	}
}

func (o *operation) checkParameters(e echo.Context, found *findings) error {
	if err := unescape(e); err != nil {
		return err
	}
	r := e.Request()
	for _, p := range o.path {
		if wrong := p.schema.checkText(e.Param(p.name)); wrong != "" {
			found.add(p.name, "%s", wrong)
		}
	}
	for _, p := range o.header {
		values := r.Header.Values(p.name)
		if len(values) > 1 {
			return Malformed("the header %s was sent %d times", p.name, len(values))
		}
		if len(values) == 1 {
			if wrong := p.schema.checkText(values[0]); wrong != "" {
				found.add(p.name, "%s", wrong)
			}
		}
	}
	if r.URL.RawQuery == "" && !slices.ContainsFunc(o.query, func(p parameter) bool { return p.required }) {
		return nil
	}
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return Malformed("the query cannot be read: it is not well escaped")
	}
	o.checkQuery(query, found)
	return nil
}

// unescape makes the path's parameters plain, once, and says so to the generated code, which would do it again: a user
// whose id looks like an escape would become another one. The house has done it for the user already.
func unescape(e echo.Context) error {
	r := e.Request()
	if r.URL.RawPath == "" {
		return nil
	}
	values := e.ParamValues()
	for i, name := range e.ParamNames() {
		if name == UserParam {
			continue
		}
		plain, err := url.PathUnescape(values[i])
		if err != nil {
			return Malformed("the path cannot be read: %s is not well escaped", name)
		}
		values[i] = plain
	}
	plain := *r.URL
	plain.RawPath = ""
	r = r.WithContext(r.Context())
	r.URL = &plain
	e.SetRequest(r)
	return nil
}

// UserParam is the path parameter that names the user.
const UserParam = "user_id"

func (o *operation) checkQuery(query url.Values, found *findings) {
	for _, p := range o.query {
		values, sent := query[p.name]
		switch {
		case !sent && p.required:
			found.add(p.name, "is required")
		case len(values) > 1:
			found.add(p.name, "must be given once")
		case sent:
			if wrong := p.schema.checkQueryValue(values[0]); wrong != "" {
				found.add(p.name, "%s", wrong)
			}
		}
	}
	for name := range query {
		if !slices.ContainsFunc(o.query, func(p parameter) bool { return p.name == name }) {
			found.add(Clip(strings.ToValidUTF8(name, "\uFFFD")), "is not a known parameter")
		}
	}
}

// checkQueryValue is check for a value as queries write it: lists are separated by commas.
func (s *Schema) checkQueryValue(value string) string {
	switch s.kind {
	case boolean:
		if value != "true" && value != "false" {
			return s.wanted()
		}
		return ""
	case number:
		return s.checkInteger(value)
	case array:
		values := strings.Split(value, ",")
		if wrong := s.checkCount(len(values)); wrong != "" {
			return wrong
		}
		for _, v := range values {
			if wrong := s.items.checkText(v); wrong != "" {
				return wrong
			}
		}
		return ""
	default:
		return s.checkText(value)
	}
}

// declared refuses a body that does not say it is of a type the operation takes.
func (o *operation) declared(e echo.Context) error {
	r := e.Request()
	mediaType, parameters, err := mime.ParseMediaType(r.Header.Get(echo.HeaderContentType))
	if err != nil || !slices.Contains(o.mediaTypes, mediaType) && (o.body != nil || !strings.HasPrefix(mediaType, "text/")) {
		return OtherType("Content-Type must be %s", choice(o.mediaTypes))
	}
	if charset := parameters["charset"]; charset != "" && !strings.EqualFold(charset, "utf-8") {
		return OtherType("the body must be UTF-8, not %s", strconv.Quote(Clip(charset)))
	}
	if encoding := r.Header.Get(echo.HeaderContentEncoding); encoding != "" && !strings.EqualFold(encoding, "identity") {
		return OtherType("bodies are taken uncompressed, not as %s", strconv.Quote(Clip(encoding)))
	}
	// The generated code compares by prefix, where RFC 9110 ignores case.
	r.Header.Set(echo.HeaderContentType, mediaType)
	return nil
}

// read reads the body of a request. The limit on its size is the house's: an error of reading is answered as it comes,
// with 413.
func read(e echo.Context) ([]byte, error) {
	r := e.Request()
	const typical = 1 << 10
	size := r.ContentLength
	if size < 0 || size > 64<<10 {
		size = typical
	}
	body := make([]byte, 0, size+1)
	for {
		n, err := r.Body.Read(body[len(body):cap(body)])
		body = body[:len(body)+n]
		if err == io.EOF {
			return body, nil
		}
		if err != nil {
			return nil, Unreadable(err)
		}
		if len(body) == cap(body) {
			body = append(body, 0)[:len(body)]
		}
	}
}

// Unreadable is the error of a body that could not be read. It keeps the house's own (413) and calls everything else a broken
// request: the client went away or lied about its length.
func Unreadable(err error) error {
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		return err
	}
	return echo.NewHTTPError(http.StatusBadRequest, "the body ended before it was complete").SetInternal(err)
}

// OtherType is the error of a body of a type that is not taken: 415 with the sentence.
func OtherType(format string, args ...any) error {
	return echo.NewHTTPError(http.StatusUnsupportedMediaType, fmt.Sprintf(format, args...))
}

// binder gives the generated code the body that was checked.
type binder struct{}

// Bind decodes the checked body. It cannot fail unless the specification and the generated types differ.
func (binder) Bind(target any, e echo.Context) error {
	body, ok := e.Get(bodyKey).([]byte)
	if !ok {
		return fmt.Errorf("%s has a body that was not checked", e.Path())
	}
	if err := json.Unmarshal(body, target); err != nil {
		return fmt.Errorf("a checked body does not fit its type: %w", err)
	}
	return nil
}
