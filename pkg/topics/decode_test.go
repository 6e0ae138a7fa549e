package topics

import (
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	contract "github.com/taskflow-suite/taskflow/proto"
)

// FuzzRead: whatever lies on a topic is shown, either as an event or with what is wrong with it.
func FuzzRead(f *testing.F) {
	const event = `{"event_id":"e","event_type":"task.created","user_id":"u","timestamp":"2026-11-22T09:00:00.000Z","aggregate_id":"a","version":1,"sequence":1,"data":{}}`
	f.Add([]byte(`{"specversion":"1.0","id":"e","source":"task-api","type":"task.created","traceparent":"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01","data":`+event+`}`), []byte("u"))
	f.Add([]byte(event), []byte("u"))
	f.Add([]byte(`{"data":null}`), []byte{})
	f.Add([]byte(`{"data":"`), []byte{0xff})
	f.Add([]byte(nil), []byte(nil)) // a tombstone
	f.Fuzz(func(t *testing.T, value, key []byte) {
		r := read(&kgo.Record{Topic: string(contract.Tasks), Partition: 3, Offset: 7, Key: key, Value: value})
		if r.Topic != contract.Tasks || r.Partition != 3 || r.Offset != 7 || r.Key != string(key) {
			t.Fatalf("its place is shown as %+v", r)
		}
		if isEvent := r.Event.ID != ""; isEvent == (r.Fault != "") {
			t.Fatalf("shown both or neither as an event and a fault: %+v", r)
		}
		if r.Fault != "" && !(Filter{User: "somebody", Types: []string{"task.updated"}}).passes(r) {
			t.Fatal("a record that is no event is hidden by a filter")
		}
	})
}
