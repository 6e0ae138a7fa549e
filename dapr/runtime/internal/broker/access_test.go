package broker_test

import (
	"strings"
	"testing"

	"github.com/taskflow-suite/taskflow/dapr/runtime/internal/broker"
)

func TestAccessFileMistakesAreNamed(t *testing.T) {
	t.Parallel()
	cases := map[string]struct{ file, says string }{
		"no JSON":             {`principal: x`, "access rules"},
		"not a list":          {`{}`, "access rules"},
		"null":                {`null`, "null"},
		"more than one value": {`[] []`, "follows"},
		"an unknown field":    {`[{"user":"a"}]`, `"user"`},
		"both kinds":          {`[{"principal":"User:a","topic":"t","group":"g","operations":["read"]}]`, "rule 1: exactly one"},
		"neither kind":        {`[{"principal":"User:a","operations":["read"]}]`, "rule 1: exactly one"},
		"an unknown operation, in the second rule": {
			`[{"principal":"User:a","topic":"t","operations":["read"]},{"principal":"User:a","topic":"t","operations":["eat"]}]`,
			`rule 2: unknown operation "eat"`,
		},
		"too many bytes": {"[" + strings.Repeat(" ", 2<<20) + "]", "exceed"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := broker.ReadGrants(strings.NewReader(c.file)); err == nil || !strings.Contains(err.Error(), c.says) {
				t.Fatalf("got error %v, want one that says %s", err, c.says)
			}
		})
	}
}

func TestEmptyAccessFileGrantsNothingRatherThanEverything(t *testing.T) {
	t.Parallel()
	grants, err := broker.ReadGrants(strings.NewReader(`[]`))
	if err != nil || grants == nil || len(grants) != 0 {
		t.Fatalf("got %#v, %v; want an empty list that is not nil", grants, err)
	}
}

func FuzzReadGrants(f *testing.F) {
	f.Add(`[{"principal":"User:a","topic":"t*","operations":["read","write"]}]`)
	f.Add(`[{"principal":"User:a","group":"g","operations":["all"]}] x`)
	f.Fuzz(func(t *testing.T, file string) {
		grants, err := broker.ReadGrants(strings.NewReader(file))
		if err != nil {
			return
		}
		for _, g := range grants {
			if !strings.HasPrefix(g.Principal, "User:") || (g.Topic == "") == (g.Group == "") || len(g.Operations) == 0 {
				t.Fatalf("accepted %+v", g)
			}
		}
	})
}
