package rest

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/taskflow-suite/taskflow/services/internal/contract"
	"github.com/taskflow-suite/taskflow/services/internal/contract/contracttest"
)

func specification(t testing.TB) *openapi3.T {
	t.Helper()
	spec, err := GetSwagger()
	if err != nil {
		t.Fatal(err)
	}
	return spec
}

// bodies is one decoder after the other as the fuzzer and the tests reach them.
func bodies(t testing.TB) contracttest.Bodies {
	t.Helper()
	return contracttest.Bodies{Spec: specification(t), Formats: formats, Types: map[string]func() any{
		"NewTask":            func() any { return new(NewTask) },
		"TaskReplacement":    func() any { return new(TaskReplacement) },
		"TaskPatch":          func() any { return new(TaskPatch) },
		"Completion":         func() any { return new(Completion) },
		"Snooze":             func() any { return new(Snooze) },
		"ProfileReplacement": func() any { return new(ProfileReplacement) },
		"Batch":              func() any { return new(Batch) },
		"NewAPIToken":        func() any { return new(NewAPIToken) },
	}}
}

func TestEveryBodyHasADecoder(t *testing.T) {
	t.Parallel()
	bodies(t).Complete(t)
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
		"all that null can clear":      {"TaskPatch", `{"description":null,"priority":null,"tags":null,"due_date":null,"reminders":null,"remind_at":null,"recurrence":null}`, ""},
		"a zone that is the user's":    {"NewTask", `{"title":"a","recurrence":{"rule":"FREQ=DAILY","time_zone":null,"catch_up":"all"}}`, ""},
		"11 times of their own":        {"NewTask", `{"title":"a","remind_at":[` + strings.Repeat(`"2026-12-01T09:00:00Z",`, 10) + `"2026-12-01T09:00:00Z"]}`, "remind_at must have at most 10 items, not 11"},
		"a scope of a batch":           {"Batch", `{"operations":[{"op":"update","id":"0192f0c1-7b3e-7c2a-9d3e-2f6a5b4c3d2e","scope":"all","changes":{}}]}`, "operations[0].scope must be this or following"},
		"a completion by a word":       {"Completion", `{"completed":"yes"}`, "completed must be true or false"},
		"several mistakes":             {"NewTask", `{"title":"","priority":1}`, "title must not be empty; priority must be a string"},
		"a batch of nothing":           {"Batch", `{"operations":[]}`, "operations must have at least 1 items, not 0"},
		"an unknown operation":         {"Batch", `{"operations":[{"op":"burn"}]}`, "operations[0].op must be complete, create, delete, reopen, restore, skip or update"},
		"an operation without its op":  {"Batch", `{"operations":[{"id":"x"}]}`, "operations[0].op is required"},
		"an operation that is no id":   {"Batch", `{"operations":[{"op":"delete","id":"x"}]}`, "operations[0].id must be a UUID"},
		"what belongs to another op":   {"Batch", `{"operations":[{"op":"create","task":{"title":"a"},"version":1}]}`, "operations[0].version is not a known field"},
		"a wrong field of a task":      {"Batch", `{"operations":[{"op":"create","task":{"title":""}}]}`, "operations[0].task.title must not be empty"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := bodies(t).Wrong(t, c.schema, c.body); got != c.want {
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
	fields, err := bodies(t).Compiled(t, "NewTask").Check([]byte(body + "}"))
	if err != nil {
		t.Fatal(err)
	}
	if len(fields) != contract.MaxWrong || len(fields[0].Field) > 100 {
		t.Errorf("%d fields, the first of %d bytes", len(fields), len(fields[0].Field))
	}
}

func FuzzRequestBody(f *testing.F) {
	bodies(f).Fuzz(f,
		`{"title":"a","description":"b","priority":"low","tags":["x"],"due_date":"2026-12-01","reminders":[5],"recurrence":"daily"}`,
		`{"title":"a","completed":true,"due_date":"2026-12-01T09:00:00.5+01:00","recurrence":{"rule":"FREQ=DAILY","anchor":"schedule","time_zone":"UTC"}}`,
		`{"title":null,"due_date":null,"recurrence":{"anchor":null}}`, `{"completed":false}`, `{"time_zone":"Europe/Oslo"}`,
		`{"operations":[{"op":"create","task":{"title":"a"}},{"op":"update","id":"0192f0c1-7b3e-7c2a-9d3e-2f6a5b4c3d2e","version":2,"changes":{"tags":[]}},{"op":"delete","id":"0192f0c1-7b3e-7c2a-9d3e-2f6a5b4c3d2e"}]}`,
		`{"name":"a","scope":"write","expires_in_days":7}`, `{"minutes":10}`, `{"until":"2026-12-01T09:00:00Z"}`, `{"title":"a","remind_at":["2026-12-01T09:00:00Z"],"recurrence":{"rule":"FREQ=DAILY","time_zone":null,"catch_up":"all"}}`,
		`[]`, `{"title":"\ud83d\ude00\n"}`, `{"a":{"b":[1,2,{"c":null}]}}`, `{"title":"a" , "tags" : [ ] }`,
	)
}

func BenchmarkRequestBody(b *testing.B) {
	body := []byte(`{"title":"Buy milk","description":"Two litres","priority":"high","tags":["home","shop"],"due_date":"2026-12-01T09:00:00Z","reminders":[10,60]}`)
	b.Run("ours", func(b *testing.B) {
		s := bodies(b).Compiled(b, "NewTask")
		b.ReportAllocs()
		for b.Loop() {
			if wrong, err := s.Check(body); err != nil || len(wrong) > 0 {
				b.Fatal(wrong, err)
			}
			if err := json.Unmarshal(body, new(NewTask)); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("kin-openapi", func(b *testing.B) {
		bodies(b).Teach()
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
