package work

import (
	"net/http"
	"testing"

	"github.com/taskflow-suite/taskflow/services/e2e/chaos/internal/record"
)

func TestAnAnswerIsReadAsWhatItIs(t *testing.T) {
	t.Parallel()
	const task = `{"id":"t1","title":"milk","version":3}`
	for what, c := range map[string]struct {
		have outcome
		want []record.Told
	}{
		"a change that was done":                    {single(http.StatusOK, []byte(task)), []record.Told{{Status: 200, Seen: record.Seen{ID: "t1", Version: 3, Title: "milk"}}}},
		"a refusal shows the task as it is":         {single(http.StatusPreconditionFailed, []byte(`{"current":`+task+`}`)), []record.Told{{Status: 412, Seen: record.Seen{ID: "t1", Version: 3, Title: "milk"}}}},
		"a refusal without a task":                  {single(http.StatusConflict, []byte(`{"detail":"in the trash"}`)), []record.Told{{Status: 409}}},
		"half an answer is none":                    {single(http.StatusOK, []byte(task[:20])), []record.Told{{}}},
		"what could not be asked":                   {single(http.StatusBadGateway, nil), []record.Told{{Status: 502}}},
		"a batch of which one was refused":          {many(http.StatusOK, []byte(`{"results":[{"status":201,"task":`+task+`},{"status":409,"problem":{}}]}`), 2), []record.Told{{Status: 201, Seen: record.Seen{ID: "t1", Version: 3, Title: "milk"}}, {Status: 409}}},
		"a batch with fewer results than wishes":    {many(http.StatusOK, []byte(`{"results":[]}`), 2), nil},
		"a batch that nobody took":                  {many(http.StatusServiceUnavailable, nil, 2), []record.Told{{Status: 503}, {Status: 503}}},
		"a tool that did it":                        {told([]byte(`{"tasks":[{"id":"t1","title":"milk","version":3,"status":"open"}]}`)), []record.Told{{Status: 200, Seen: record.Seen{ID: "t1", Version: 3, Title: "milk"}}}},
		"a tool that refused":                       {told([]byte(`{"failures":[{"item":"t1","code":"stale"}]}`)), []record.Told{{Status: 412}}},
		"a tool that says neither":                  {told([]byte(`{}`)), nil},
		"a tool that fails for reasons of its own":  {told([]byte(`{"failures":[{"item":"t1","code":"haunted"}]}`)), nil},
		"a tool whose answer cannot be read at all": {told([]byte(`{`)), nil},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			if len(c.have.Told) != len(c.want) {
				t.Fatalf("it is read as %+v, want %+v", c.have.Told, c.want)
			}
			for i := range c.want {
				if c.have.Told[i] != c.want[i] {
					t.Errorf("%d is read as %+v, want %+v", i, c.have.Told[i], c.want[i])
				}
			}
			if len(c.want) == 0 && c.have.Error == "" {
				t.Error("it does not say why nobody knows")
			}
		})
	}
}
