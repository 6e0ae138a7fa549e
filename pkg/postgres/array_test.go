package postgres_test

import (
	"slices"
	"testing"
	"time"

	"github.com/taskflow-suite/taskflow/pkg/postgres"
	"github.com/taskflow-suite/taskflow/pkg/testkit"
)

var someTexts = []postgres.Texts{
	nil, {""}, {"a"}, {"a", "b"}, {"a,b", `c"d`, `e\f`, "{g}", "NULL", " h ", "ü€😀", "\n\t"}, {`\`, `"`, `\"`},
}

func TestArraysComeBackFromPostgresAsTheyWent(t *testing.T) {
	t.Parallel()
	url := testkit.EmptyPostgres(t)
	conn := connect(t, url)
	for _, want := range someTexts {
		literal, err := want.Value()
		must(t, err)
		var length int
		var back string
		must(t, conn.QueryRow(t.Context(), "SELECT cardinality($1::text[]), $1::text[]::text", literal).Scan(&length, &back))
		var got postgres.Texts
		must(t, got.Scan(back))
		if length != len(want) || !slices.Equal(got, want) {
			t.Errorf("%q came back as %q, of %d", want, got, length)
		}
	}
	for _, want := range []postgres.Ints{nil, {0}, {-1, 525600}} {
		literal, err := want.Value()
		must(t, err)
		var back string
		must(t, conn.QueryRow(t.Context(), "SELECT $1::int[]::text", literal).Scan(&back))
		var got postgres.Ints
		must(t, got.Scan([]byte(back)))
		if !slices.Equal(got, want) {
			t.Errorf("%v came back as %v", want, got)
		}
	}
	winter := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	for _, zone := range []string{"UTC", "Asia/Kolkata", "America/St_Johns", "Europe/Oslo"} {
		_, err := conn.Exec(t.Context(), "SET TIME ZONE '"+zone+"'")
		must(t, err)
		for _, want := range []postgres.Times{nil, {winter}, {winter.Add(123 * time.Millisecond), winter.AddDate(-150, 0, 0), winter.AddDate(7000, 0, 0)}} {
			literal, err := want.Value()
			must(t, err)
			var back string
			must(t, conn.QueryRow(t.Context(), "SELECT $1::timestamptz[]::text", literal).Scan(&back))
			var got postgres.Times
			must(t, got.Scan(back))
			if !slices.Equal(got, want) {
				t.Errorf("in %s, %v came back as %v", zone, want, got)
			}
		}
	}
}

func TestWhatIsNoArrayIsAnError(t *testing.T) {
	t.Parallel()
	for _, src := range []any{"", "{", "}", "a", `{"a}`, 7, "{a}}x"} {
		var texts postgres.Texts
		if err := texts.Scan(src); err == nil {
			t.Errorf("%v was read as %q", src, texts)
		}
	}
	var ints postgres.Ints
	if err := ints.Scan("{1,x}"); err == nil {
		t.Errorf("read as %v", ints)
	}
	var times postgres.Times
	if err := times.Scan("{yesterday}"); err == nil {
		t.Errorf("read as %v", times)
	}
}

func FuzzTexts(f *testing.F) {
	for _, texts := range someTexts {
		if len(texts) > 1 {
			f.Add(texts[0], texts[1])
		}
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		want := postgres.Texts{a, b}
		literal, err := want.Value()
		must(t, err)
		var got postgres.Texts
		must(t, got.Scan(literal))
		if !slices.Equal(got, want) {
			t.Errorf("%q came back as %q", want, got)
		}
	})
}
