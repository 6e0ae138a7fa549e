package testkit

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// Generated checks that a file is as change makes it of itself, or, with update, writes it so. It is for files of which a
// part is generated, such as a README with a table.
func Generated(t testing.TB, path string, update bool, change func(text string) (string, error)) {
	t.Helper()
	has, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	want, err := change(string(has))
	switch {
	case err != nil:
		t.Fatalf("%s: %v", path, err)
	case want == string(has):
	case !update:
		t.Errorf("%s is not up to date; run `make gen`, or this test with -update", path)
	default:
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// Between replaces what stands in text between two marks.
func Between(text, begin, end, part string) (string, error) {
	before, rest, began := strings.Cut(text, begin)
	_, after, ended := strings.Cut(rest, end)
	if !began || !ended {
		return "", fmt.Errorf("it lacks %s and %s", begin, end)
	}
	return before + begin + part + end + after, nil
}
