package binaries

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestStoredProgramIsNamedByEverythingThatDecidesIt(t *testing.T) {
	t.Parallel()
	write := func(dir, path, content string) {
		t.Helper()
		path = filepath.Join(dir, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	name := func(change func(dir string)) string {
		t.Helper()
		dir := t.TempDir()
		for _, file := range []string{"go.mod", "go.sum", "cmd/broker/main.go", "internal/broker/b.go", "internal/broker/b_test.go"} {
			write(dir, file, file)
		}
		change(dir)
		sum, err := hash(dir, "broker")
		if err != nil {
			t.Fatal(err)
		}
		return sum
	}
	plain := name(func(string) {})
	if again := name(func(string) {}); again != plain {
		t.Fatalf("the same sources are %s and %s", plain, again)
	}
	for _, file := range []string{"go.mod", "go.sum", "cmd/broker/main.go", "internal/broker/b.go", "internal/broker/new.go"} {
		if name(func(dir string) { write(dir, file, "changed") }) == plain {
			t.Errorf("a change of %s does not count", file)
		}
	}
	if name(func(dir string) { write(dir, "internal/broker/b_test.go", "changed") }) != plain {
		t.Error("a change of a test counts")
	}
}

func TestUnknownProgramIsNamed(t *testing.T) {
	t.Parallel()
	if _, err := Path(t.Context(), ".", "placement"); err == nil || !strings.Contains(err.Error(), `"placement"`) {
		t.Fatalf("got %v", err)
	}
}
