package ledger

import (
	"bytes"
	"encoding/json"
	"testing"
)

func FuzzTheSpaceBetweenArgumentsMakesNoOtherCall(f *testing.F) {
	for _, seed := range []string{`{"a": [1, 2.50, "x"], "b": null}`, `{}`, `[]`, `{"a":1,"a":2}`, `{"n":1e400}`, `{} {}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, input []byte) {
		hash, err := hashOf(input)
		if err != nil {
			return
		}
		var spaced bytes.Buffer
		if err := json.Indent(&spaced, input, " ", "\t"); err != nil {
			t.Fatalf("%q was taken for JSON: %v", input, err)
		}
		if again, err := hashOf(spaced.Bytes()); err != nil || !bytes.Equal(again, hash) {
			t.Errorf("%q and %q are two calls (%v)", input, spaced.Bytes(), err)
		}
	})
}
