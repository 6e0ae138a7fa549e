package rest

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/labstack/echo/v4"

	"github.com/taskflow-suite/taskflow/pkg/errs"
)

// bodies is one decoder after the other as the fuzzer and the tests reach them: the schema and the generated type.
var bodies = map[string]func() any{
	"NewTask":            func() any { return new(NewTask) },
	"TaskReplacement":    func() any { return new(TaskReplacement) },
	"TaskPatch":          func() any { return new(TaskPatch) },
	"Completion":         func() any { return new(Completion) },
	"ProfileReplacement": func() any { return new(ProfileReplacement) },
	"Batch":              func() any { return new(Batch) },
}

func specification(t testing.TB) *openapi3.T {
	t.Helper()
	spec, err := GetSwagger()
	if err != nil {
		t.Fatal(err)
	}
	return spec
}

func compiled(t testing.TB, name string) *schema {
	t.Helper()
	s, err := compile(specification(t).Components.Schemas[name])
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// check decodes a body as a request's is decoded.
func check(s *schema, body string) ([]errs.Field, error) {
	n, err := parse([]byte(body))
	if err != nil {
		return nil, err
	}
	var found findings
	s.check(&n, "", &found)
	return found.fields, nil
}

func TestEveryBodyHasADecoder(t *testing.T) {
	t.Parallel()
	for path, item := range specification(t).Paths.Map() {
		for method, op := range item.Operations() {
			if op.RequestBody == nil {
				continue
			}
			for _, content := range op.RequestBody.Value.Content {
				name := content.Schema.Ref[strings.LastIndex(content.Schema.Ref, "/")+1:]
				if bodies[name] == nil {
					t.Errorf("%s %s takes a %s, which is not tested", method, path, name)
				}
			}
		}
	}
}

func TestMalformedJSONIsRefusedWithItsPlace(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ body, want string }{
		"nothing":                    {"", "the body is empty; send JSON"},
		"only spaces":                {" \n\t", "the body is empty; send JSON"},
		"not JSON":                   {"title=milk", "the body is not JSON at line 1, column 2: invalid character 'i' in literal true (expecting 'r')"},
		"an end too early":           {`{"title":"a"`, "the body is not JSON at line 1, column 12: unexpected end of JSON input"},
		"a mistake on a later line":  {"{\n \"title\": 'a'}", "the body is not JSON at line 2, column 11: invalid character '\\'' looking for beginning of value"},
		"trailing data":              {`{"title":"a"}{}`, "the body is not JSON at line 1, column 14: invalid character '{' after top-level value"},
		"a trailing comma":           {`{"title":"a",}`, "the body is not JSON at line 1, column 14: invalid character '}' looking for beginning of object key string"},
		"a raw NUL":                  {"{\"title\":\"a\x00\"}", "the body is not JSON at line 1, column 12: invalid character '\\x00' in string literal"},
		"a raw control character":    {"{\"title\":\"a\nb\"}", "the body is not JSON at line 1, column 12: invalid character '\\n' in string literal"},
		"bytes that are not UTF-8":   {"{\"title\":\"\xff\"}", "the body is not UTF-8"},
		"a name twice":               {`{"title":"a","title":"b"}`, `the body has "title" twice in one object`},
		"a name twice in disguise":   {`{"title":"a","\u0074itle":"b"}`, `the body has "title" twice in one object`},
		"a name twice far down":      {`{"a":{"b":[{"c":1,"c":2}]}}`, `the body has "c" twice in one object`},
		"a name twice among many":    {`{` + manyMembers(40) + `,"m7":1}`, `the body has "m7" twice in one object`},
		"deep nesting":               {strings.Repeat("[", 100) + strings.Repeat("]", 100), "the body is nested more than 32 deep"},
		"nesting that would crash":   {strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000), "the body is not JSON at line 1, column 10001: invalid character '[' exceeded max depth"},
		"more values than any needs": {"[" + strings.Repeat("0,", 30_000) + "0]", "the body has more than 20000 values"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := parse([]byte(c.body))
			refused, ok := errors.AsType[*echo.HTTPError](err)
			if !ok || refused.Code != 400 || refused.Message != c.want {
				t.Errorf("got %v, want 400 %q", err, c.want)
			}
		})
	}
}

func manyMembers(n int) string {
	var all []string
	for i := range n {
		all = append(all, `"m`+string(rune('0'+i%10))+strings.Repeat("x", i/10)+`":1`)
	}
	return strings.Join(all, ",")
}

func TestWrongFieldsAreNamed(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ schema, body, want string }{
		"not an object":                {"NewTask", `[]`, "body must be an object"},
		"null":                         {"NewTask", `null`, "body must not be null"},
		"no title":                     {"NewTask", `{}`, "title is required"},
		"an empty title":               {"NewTask", `{"title":""}`, "title must not be empty"},
		"a title of 201 characters":    {"NewTask", `{"title":"` + strings.Repeat("ø", 201) + `"}`, "title must be at most 200 characters, not 201"},
		"a title of 200 characters":    {"NewTask", `{"title":"` + strings.Repeat("ø", 200) + `"}`, ""},
		"a number for a title":         {"NewTask", `{"title":1}`, "title must be a string"},
		"null for a title":             {"NewTask", `{"title":null}`, "title must not be null"},
		"an escaped NUL":               {"NewTask", `{"title":"a\u0000b"}`, "title must not contain control characters or invalid UTF-8"},
		"a description of 10,001":      {"NewTask", `{"title":"a","description":"` + strings.Repeat("d", 10_001) + `"}`, "description must be at most 10000 characters, not 10001"},
		"an unknown field":             {"NewTask", `{"title":"a","prio":"low"}`, "prio is not a known field"},
		"another spelling":             {"NewTask", `{"Title":"a","title":"b"}`, "Title is not a known field"},
		"a field that is not settable": {"NewTask", `{"title":"a","version":1}`, "version is not a known field"},
		"an unknown priority":          {"NewTask", `{"title":"a","priority":"asap"}`, "priority must be none, low, medium, high or urgent"},
		"tags that are no list":        {"NewTask", `{"title":"a","tags":"home"}`, "tags must be a list"},
		"a tag that is no string":      {"NewTask", `{"title":"a","tags":["home",1]}`, "tags[1] must be a string"},
		"21 tags":                      {"NewTask", `{"title":"a","tags":[` + strings.Repeat(`"t",`, 20) + `"t"]}`, "tags must have at most 20 items, not 21"},
		"an impossible date":           {"NewTask", `{"title":"a","due_date":"2026-02-30"}`, "due_date must be an RFC 3339 instant such as 2026-12-01T09:00:00Z, or a date such as 2026-12-01"},
		"a time without its zone":      {"NewTask", `{"title":"a","due_date":"2026-12-01T09:00:00"}`, "due_date must be an RFC 3339 instant such as 2026-12-01T09:00:00Z, or a date such as 2026-12-01"},
		"a year out of reach":          {"NewTask", `{"title":"a","due_date":"9999-01-01"}`, "due_date must lie between the years 1970 and 9998"},
		"a fraction of a minute":       {"NewTask", `{"title":"a","reminders":[1.5]}`, "reminders[0] must be a whole number"},
		"a negative reminder":          {"NewTask", `{"title":"a","reminders":[-1]}`, "reminders[0] must be 0 to 525600"},
		"a number beyond 64 bits":      {"NewTask", `{"title":"a","reminders":[99999999999999999999]}`, "reminders[0] must be 0 to 525600"},
		"a word that is no recurrence": {"NewTask", `{"title":"a","recurrence":"yearly"}`, "recurrence must be null, daily, weekly, monthly or an object with a rule"},
		"a recurrence without rule":    {"NewTask", `{"title":"a","recurrence":{"anchor":"schedule"}}`, "recurrence.rule is required"},
		"an unknown anchor":            {"NewTask", `{"title":"a","recurrence":{"rule":"FREQ=DAILY","anchor":"x"}}`, "recurrence.anchor must be schedule or completion"},
		"a whole recurrence":           {"NewTask", `{"title":"a","recurrence":{"rule":"FREQ=DAILY","anchor":"completion","time_zone":"Europe/Oslo"}}`, ""},
		"a patch of one member":        {"TaskPatch", `{"recurrence":{"anchor":null}}`, ""},
		"a patch of nothing":           {"TaskPatch", `{}`, ""},
		"a patch to no title":          {"TaskPatch", `{"title":null}`, "title must not be null"},
		"all that null can clear":      {"TaskPatch", `{"description":null,"priority":null,"tags":null,"due_date":null,"reminders":null,"recurrence":null}`, ""},
		"a completion by a word":       {"Completion", `{"completed":"yes"}`, "completed must be true or false"},
		"several mistakes":             {"NewTask", `{"title":"","priority":1}`, "title must not be empty; priority must be a string"},
		"a batch of nothing":           {"Batch", `{"operations":[]}`, "operations must have at least 1 items, not 0"},
		"an unknown operation":         {"Batch", `{"operations":[{"op":"burn"}]}`, "operations[0].op must be complete, create, delete, reopen, restore or update"},
		"an operation without its op":  {"Batch", `{"operations":[{"id":"x"}]}`, "operations[0].op is required"},
		"an operation that is no id":   {"Batch", `{"operations":[{"op":"delete","id":"x"}]}`, "operations[0].id must be a UUID"},
		"what belongs to another op":   {"Batch", `{"operations":[{"op":"create","task":{"title":"a"},"version":1}]}`, "operations[0].version is not a known field"},
		"a wrong field of a task":      {"Batch", `{"operations":[{"op":"create","task":{"title":""}}]}`, "operations[0].task.title must not be empty"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fields, err := check(compiled(t, c.schema), c.body)
			if err != nil {
				t.Fatal(err)
			}
			var said []string
			for _, f := range fields {
				said = append(said, f.Field+" "+f.Message)
			}
			if got := strings.Join(said, "; "); got != c.want {
				t.Errorf("got  %q\nwant %q", got, c.want)
			}
		})
	}
}

func TestAnswersNameABoundedNumberOfFields(t *testing.T) {
	t.Parallel()
	body := `{"title":"a"`
	for i := range 1000 {
		body += `,"` + strings.Repeat("x", 500) + strings.Repeat("y", i) + `":1`
	}
	fields, err := check(compiled(t, "NewTask"), body+"}")
	if err != nil {
		t.Fatal(err)
	}
	if len(fields) != maxWrong || len(fields[0].Field) > 100 {
		t.Errorf("%d fields, the first of %d bytes", len(fields), len(fields[0].Field))
	}
}

// FuzzRequestBody holds our decoder against kin-openapi's reading of the same specification: what we accept it accepts,
// what we refuse it refuses (but for what is listed), and what we accept fits the generated type.
func FuzzRequestBody(f *testing.F) {
	teachFormats()
	spec := specification(f)
	for name := range bodies {
		for _, body := range []string{
			`{"title":"a","description":"b","priority":"low","tags":["x"],"due_date":"2026-12-01","reminders":[5],"recurrence":"daily"}`,
			`{"title":"a","completed":true,"due_date":"2026-12-01T09:00:00.5+01:00","recurrence":{"rule":"FREQ=DAILY","anchor":"schedule","time_zone":"UTC"}}`,
			`{"title":null,"due_date":null,"recurrence":{"anchor":null}}`, `{"completed":false}`, `{"time_zone":"Europe/Oslo"}`,
			`{"operations":[{"op":"create","task":{"title":"a"}},{"op":"update","id":"0192f0c1-7b3e-7c2a-9d3e-2f6a5b4c3d2e","version":2,"changes":{"tags":[]}},{"op":"delete","id":"0192f0c1-7b3e-7c2a-9d3e-2f6a5b4c3d2e"}]}`,
			`[]`, `{"title":"\ud83d\ude00\n"}`, `{"a":{"b":[1,2,{"c":null}]}}`, `{"title":"a" , "tags" : [ ] }`,
		} {
			f.Add(name, body)
		}
	}
	schemas := map[string]*schema{}
	for name := range bodies {
		schemas[name] = compiled(f, name)
	}
	f.Fuzz(func(t *testing.T, name, body string) {
		ours, known := schemas[name]
		if !known {
			return
		}
		fields, err := check(ours, body)
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
		theirs := spec.Components.Schemas[name].Value.VisitJSON(value, openapi3.EnableFormatValidation())
		switch {
		case len(fields) == 0 && theirs != nil:
			t.Errorf("%q is accepted against the specification: %v", body, theirs)
		case len(fields) > 0 && theirs == nil && !stricter(fields):
			t.Errorf("%q is refused against the specification: %v", body, fields)
		case len(fields) == 0:
			if err := json.Unmarshal([]byte(body), bodies[name]()); err != nil {
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

func BenchmarkRequestBody(b *testing.B) {
	body := []byte(`{"title":"Buy milk","description":"Two litres","priority":"high","tags":["home","shop"],"due_date":"2026-12-01T09:00:00Z","reminders":[10,60]}`)
	b.Run("ours", func(b *testing.B) {
		s := compiled(b, "NewTask")
		b.ReportAllocs()
		for b.Loop() {
			n, err := parse(body)
			if err != nil {
				b.Fatal(err)
			}
			var found findings
			if s.check(&n, "", &found); len(found.fields) > 0 {
				b.Fatal(found.fields)
			}
			if err := json.Unmarshal(body, new(NewTask)); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("kin-openapi", func(b *testing.B) {
		teachFormats()
		s := specification(b).Components.Schemas["NewTask"].Value
		b.ReportAllocs()
		for b.Loop() {
			var value any
			if err := json.Unmarshal(body, &value); err != nil {
				b.Fatal(err)
			}
			if err := s.VisitJSON(value, openapi3.EnableFormatValidation()); err != nil {
				b.Fatal(err)
			}
			if err := json.Unmarshal(body, new(NewTask)); err != nil {
				b.Fatal(err)
			}
		}
	})
}
