// Package docs serves the specification and a page that shows it to people. The page is made once, from the
// specification itself, and needs neither scripts nor the network.
package docs

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"html/template"
	"net/http"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/labstack/echo/v4"
	"github.com/oasdiff/yaml"
)

//go:embed page.html style.css
var files embed.FS

// Paths of what is served.
const (
	Page  = "/docs"
	Style = "/docs/style.css"
	YAML  = "/openapi.yaml"
	JSON  = "/openapi.json"
)

// policy allows the page its own style and nothing else.
const policy = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// Register adds the specification, as YAML and as JSON, and the page. An error is a mistake in the specification.
func Register(e *echo.Echo, spec *openapi3.T) error {
	asJSON, err := plain(spec)
	if err != nil {
		return err
	}
	asYAML, err := yaml.JSONToYAML(asJSON)
	if err != nil {
		return fmt.Errorf("the specification as YAML: %w", err)
	}
	page, err := render(spec)
	if err != nil {
		return err
	}
	style, err := files.ReadFile("style.css")
	if err != nil {
		return err
	}
	serve := func(path, contentType string, body []byte) {
		e.GET(path, func(c echo.Context) error {
			h := c.Response().Header()
			h.Set("Content-Security-Policy", policy)
			h.Set("Cache-Control", "public, max-age=300")
			return c.Blob(http.StatusOK, contentType, body)
		})
	}
	serve(JSON, "application/json", asJSON)
	serve(YAML, "application/yaml", asYAML)
	serve(Page, "text/html; charset=utf-8", page)
	serve(Style, "text/css; charset=utf-8", style)
	return nil
}

// plain is the specification as JSON without what only our own tools read.
func plain(spec *openapi3.T) ([]byte, error) {
	raw, err := json.Marshal(spec)
	if err != nil {
		return nil, fmt.Errorf("the specification as JSON: %w", err)
	}
	var tree any
	if err := json.Unmarshal(raw, &tree); err != nil {
		return nil, fmt.Errorf("the specification as JSON: %w", err)
	}
	return json.MarshalIndent(withoutOwn(tree), "", "  ")
}

func withoutOwn(tree any) any {
	switch t := tree.(type) {
	case map[string]any:
		for name, value := range t {
			if strings.HasPrefix(name, "x-") {
				delete(t, name)
			} else {
				t[name] = withoutOwn(value)
			}
		}
	case []any:
		for i := range t {
			t[i] = withoutOwn(t[i])
		}
	}
	return tree
}

// The page's view of the specification.
type (
	view struct {
		Title, Version string
		Description    []string
		Groups         []group
		Schemas        []named
	}
	group struct {
		Name, Description string
		Operations        []operation
	}
	operation struct {
		ID, Method, Path, Summary string
		Description               []string
		Parameters                []field
		Body                      []named
		Responses                 []response
	}
	field struct {
		Name, Where, Type, Text string
		Required                bool
	}
	named struct {
		Name, Type, Text string
		Fields           []field
	}
	response struct{ Status, Text, Type string }
)

func render(spec *openapi3.T) ([]byte, error) {
	page, err := template.ParseFS(files, "page.html")
	if err != nil {
		return nil, err
	}
	v := view{Title: spec.Info.Title, Version: spec.Info.Version, Description: paragraphs(spec.Info.Description)}
	for _, tag := range spec.Tags {
		v.Groups = append(v.Groups, group{tag.Name, tag.Description, operations(spec, tag.Name)})
	}
	for _, name := range sorted(spec.Components.Schemas) {
		v.Schemas = append(v.Schemas, shape(name, spec.Components.Schemas[name]))
	}
	var out bytes.Buffer
	err = page.Execute(&out, v)
	return out.Bytes(), err
}

func sorted[V any](m map[string]V) []string {
	var names []string
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// paragraphs takes the Markdown of the specification apart into paragraphs, without its marks.
func paragraphs(text string) []string {
	var all []string
	for p := range strings.SplitSeq(strings.TrimSpace(text), "\n\n") {
		if p = strings.TrimSpace(strings.NewReplacer("**", "", "`", "", "\n", " ").Replace(p)); p != "" {
			all = append(all, p)
		}
	}
	return all
}

func line(text string) string { return strings.Join(paragraphs(text), " ") }

var methods = []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete}

func operations(spec *openapi3.T, tag string) []operation {
	var all []operation
	for _, path := range sorted(spec.Paths.Map()) {
		item := spec.Paths.Value(path)
		for _, method := range methods {
			op := item.GetOperation(method)
			if op == nil || !slices.Contains(op.Tags, tag) {
				continue
			}
			o := operation{
				ID: op.OperationID, Method: method, Path: path, Summary: op.Summary, Description: paragraphs(op.Description),
			}
			for _, p := range slices.Concat(item.Parameters, op.Parameters) {
				o.Parameters = append(o.Parameters, field{
					p.Value.Name, p.Value.In, kind(p.Value.Schema), line(p.Value.Description), p.Value.Required,
				})
			}
			if op.RequestBody != nil {
				for _, mediaType := range sorted(op.RequestBody.Value.Content) {
					s := op.RequestBody.Value.Content[mediaType].Schema
					o.Body = append(o.Body, named{Name: mediaType, Type: kind(s)})
				}
			}
			for _, status := range sorted(op.Responses.Map()) {
				r := op.Responses.Value(status).Value
				answer := response{Status: status, Text: line(*r.Description)}
				for _, mediaType := range sorted(r.Content) {
					// Of several media types, the one with a shape that is shown below says most.
					if s := r.Content[mediaType].Schema; answer.Type == "" || s.Ref != "" {
						answer.Type = kind(s)
					}
				}
				o.Responses = append(o.Responses, answer)
			}
			all = append(all, o)
		}
	}
	return all
}

func shape(name string, ref *openapi3.SchemaRef) named {
	n := named{Name: name, Type: kind(&openapi3.SchemaRef{Value: ref.Value}), Text: line(ref.Value.Description)}
	for _, property := range sorted(ref.Value.Properties) {
		p := ref.Value.Properties[property]
		n.Fields = append(n.Fields, field{
			Name: property, Type: kind(p), Text: line(p.Value.Description), Required: slices.Contains(ref.Value.Required, property),
		})
	}
	return n
}

// kind says in a few words what a schema takes: the name of one that has a name, else its type and bounds.
func kind(ref *openapi3.SchemaRef) string {
	if ref == nil {
		return ""
	}
	if ref.Ref != "" {
		return ref.Ref[strings.LastIndex(ref.Ref, "/")+1:]
	}
	v := ref.Value
	var words []string
	switch {
	case len(v.OneOf) > 0:
		for _, one := range v.OneOf {
			words = append(words, kind(one))
		}
		return strings.Join(words, " | ")
	case len(v.Enum) > 0:
		for _, e := range v.Enum {
			words = append(words, fmt.Sprint(e))
		}
		return strings.Join(words, " | ")
	case v.Type.Is("array"):
		words = append(words, "list of "+kind(v.Items))
	case v.Type != nil:
		words = append(words, strings.Join(v.Type.Slice(), " | "))
	}
	if v.MaxLength != nil {
		words = append(words, fmt.Sprintf("%d–%d characters", v.MinLength, *v.MaxLength))
	}
	if v.MaxItems != nil {
		words = append(words, fmt.Sprintf("%d–%d items", v.MinItems, *v.MaxItems))
	}
	if v.Min != nil && v.Max != nil {
		words = append(words, fmt.Sprintf("%.0f–%.0f", *v.Min, *v.Max))
	}
	if v.Nullable {
		words = append(words, "or null")
	}
	return strings.Join(words, ", ")
}
