package tools

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/task"
)

// FuzzWhen checks that whatever is read as a time is one that the rule book takes, and is read the same way once shown.
func FuzzWhen(f *testing.F) {
	for _, text := range []string{"2026-12-01", "2026-12-01T17:00", "2026-12-01 17:00:30", "2026-12-01T17:00:00+05:00", "9998-12-31T23:59:59-12:00", "1970-01-01t00:00z", "2027-03-14T02:30"} {
		f.Add(text)
	}
	zone, err := time.LoadLocation("America/New_York")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text string) {
		w, err := parseWhen("due", text, zone)
		if err != nil {
			if !errs.Is(err, errs.Invalid) {
				t.Fatalf("%q: %v", text, err)
			}
			return
		}
		if _, err := (task.Fields{Title: "x", Due: w.due()}).Normal(); err != nil {
			t.Fatalf("%q is %+v: %v", text, w, err)
		}
		again := w.date
		if again == "" {
			again = stamp(w.at, zone)
		}
		if back, err := parseWhen("due", again, zone); err != nil || back.date != w.date || !back.at.Equal(w.at.Truncate(time.Second)) {
			t.Fatalf("%q is shown as %q, which is %+v (%v)", text, again, back, err)
		}
	})
}

// FuzzConfirmation checks that nothing but what was signed counts.
func FuzzConfirmation(f *testing.F) {
	key, now := []byte("0123456789abcdef0123456789abcdef"), time.UnixMilli(1_800_000_000_000)
	d := deletion{user: "ada", ids: []string{"b", "a"}, versions: map[string]int{"a": 1, "b": 2}}
	signed := d.confirm(key, now.Add(time.Minute))
	f.Add(signed)
	f.Add(deletion{user: "eve", ids: d.ids, versions: d.versions}.confirm(key, now.Add(time.Minute)))
	f.Add("")
	f.Fuzz(func(t *testing.T, text string) {
		if err := d.check(key, text, now); (err == nil) != (text == signed) {
			t.Fatalf("%q: %v", text, err)
		}
	})
}

// FuzzArguments checks that whatever comes as arguments is refused as invalid or is an object.
func FuzzArguments(f *testing.F) {
	for _, text := range []string{`{}`, `null`, `[]`, `{"tasks":[{"title":"x"},1]}`, `{"tasks":[{"title":"x","reminders":[5.0,1e2]}]}`, `{"tasks":{}}`} {
		f.Add(text)
	}
	add := table[0].checker
	f.Fuzz(func(t *testing.T, text string) {
		input, err := add.arguments(json.RawMessage(text))
		if err != nil {
			if !errs.Is(err, errs.Invalid) || input == nil {
				t.Fatalf("%q: %v", text, err)
			}
			return
		}
		items, ok := input[batchField].([]any)
		if !ok || len(items) == 0 || len(items) > maxBatch {
			t.Fatalf("%q is taken for %v", text, input)
		}
		for _, item := range items {
			var n newItem
			if err := add.into(item, &n); err != nil && !errs.Is(err, errs.Invalid) {
				t.Fatalf("%q: %v", text, err)
			}
		}
	})
}
