package kafka

import (
	"testing"

	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/event"
	contract "github.com/taskflow-suite/taskflow/proto"
)

// FuzzDecode: what lies on a topic is a whole event or invalid, and what was encoded is read back.
func FuzzDecode(f *testing.F) {
	const envelope = `{"event_id":"e","event_type":"task.created","user_id":"u","timestamp":"2026-11-22T09:00:00.000Z","aggregate_id":"a","version":1,"sequence":1,"data":{}}`
	r, err := Record(contract.TaskAPI, contract.Tasks, event.Message{ID: "e", Type: "task.created", Key: "u", Data: []byte(envelope)})
	if err != nil {
		f.Fatal(err)
	}
	if e, _, err := decode(r.Value); err != nil || e.ID != "e" {
		f.Fatalf("read back %+v, %v", e, err)
	}
	f.Add(r.Value)
	f.Add([]byte(envelope))
	f.Add([]byte(`{"data":7}`))
	f.Add([]byte(nil))
	f.Fuzz(func(t *testing.T, value []byte) {
		e, _, err := decode(value)
		if err != nil {
			if !errs.Is(err, errs.Invalid) {
				t.Fatalf("an unreadable record must be invalid, not %v", err)
			}
			return
		}
		if e.ID == "" || e.UserID == "" || e.Sequence < 1 {
			t.Fatalf("accepted an incomplete event: %+v", e)
		}
	})
}
