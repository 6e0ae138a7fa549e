package record

import (
	"path/filepath"
	"slices"
	"testing"
)

func TestWhatHappensWhileTheRecordIsLookedAtIsNotLost(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "record")
	w, err := Make(path)
	if err != nil {
		t.Fatal(err)
	}
	ids := func() []string {
		t.Helper()
		lines, err := Open(path)
		if err != nil {
			t.Fatal(err)
		}
		var all []string
		for n, l := range lines {
			if n > 0 && l.At < lines[n-1].At {
				t.Errorf("line %d is older than the one before", n)
			}
			all = append(all, l.Message.ID)
		}
		return all
	}
	message := func(id string) Line { return Line{Message: &Message{ID: id}} }
	expect := func(want ...string) {
		t.Helper()
		if have := ids(); !slices.Equal(have, want) {
			t.Errorf("the record has %v, want %v", have, want)
		}
	}
	w.Add(message("a"))
	if err := w.Hold(); err != nil {
		t.Fatal(err)
	}
	w.Add(message("b"))
	expect("a")
	w.Release()
	w.Add(message("c"))
	if err := w.Hold(); err != nil {
		t.Fatal(err)
	}
	expect("a", "b", "c")
	w.Add(message("too late"))
	if err := w.End([]Line{message("end")}); err != nil {
		t.Fatal(err)
	}
	w.Add(message("much too late"))
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	expect("a", "b", "c", "end")
}
