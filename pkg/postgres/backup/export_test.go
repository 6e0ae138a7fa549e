package backup

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"fmt"
	"slices"
	"testing"
)

// Has reports whether a table is in a backup, or made by migrations.
func Has(table string) bool { return slices.Contains(tables, table) || slices.Contains(made, table) }

// Forged is a backup with a header and nothing else.
func Forged(t *testing.T, h Header) []byte {
	t.Helper()
	var out bytes.Buffer
	fmt.Fprintf(&out, "%s %d\n", title, Format)
	zip := gzip.NewWriter(&out)
	if err := (&writer{out: zip}).line(h); err != nil {
		t.Fatal(err)
	}
	if err := zip.Close(); err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(out.Bytes())
	return append(out.Bytes(), sum[:]...)
}
