package topics_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/event"
	"github.com/taskflow-suite/taskflow/proto"
	"github.com/taskflow-suite/taskflow/services/notifier/internal/topics"
)

// calls writes down what the hub is told.
type calls []string

func (c *calls) Publish(e event.Envelope) { *c = append(*c, "publish "+e.ID) }
func (c *calls) Tell(e event.Envelope)    { *c = append(*c, "tell "+e.ID) }
func (c *calls) Forget(userID string)     { *c = append(*c, "forget "+userID) }

func TestEventsGoWhereTheyConcernSomebody(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		topic  proto.Topic
		kind   string
		data   string
		called string
	}{
		"an event of a task":                {proto.Tasks, "task.completed", `{"completed_at":"2026-11-22T09:00:00Z"}`, "[publish e1]"},
		"an occurrence passed over":         {proto.Tasks, "task.skipped", `{"skipped_at":"2026-11-22T09:00:00Z","series_id":"s1"}`, "[publish e1]"},
		"an event of a series":              {proto.Tasks, "series.ended", `{}`, "[publish e1]"},
		"a reminder":                        {proto.Tasks, "reminder.fired", `{"minutes_before":30,"late":true}`, "[publish e1]"},
		"a type of a newer publisher":       {proto.Tasks, "task.coloured", `{"colour":"red"}`, "[publish e1]"},
		"a user's changed settings":         {proto.Users, "user.updated", `{"changed":["time_zone"]}`, "[tell e1]"},
		"a deleted user":                    {proto.Users, "user.deleted", `{}`, "[forget ann]"},
		"a new user":                        {proto.Users, "user.created", `{"time_zone":"UTC"}`, "[]"},
		"a deleted user of another topic":   {proto.Tasks, "user.deleted", `{}`, "invalid"},
		"settings that are none":            {proto.Users, "user.updated", `{"changed":1}`, "invalid"},
		"an event of a topic of no concern": {proto.Conversations, "message.added", `{}`, "[]"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var hub calls
			r := event.NewRouter()
			topics.Register(r, &hub)
			data, err := json.Marshal(event.Envelope{
				ID: "e1", Type: c.kind, UserID: "ann", AggregateID: "a1", Version: 1, Sequence: 1,
				Timestamp: event.Time{Time: time.Now()}, Data: json.RawMessage(c.data),
			})
			if err != nil {
				t.Fatal(err)
			}
			err = r.Deliver(t.Context(), c.topic, data)
			got := fmt.Sprint([]string(hub))
			if errs.Is(err, errs.Invalid) {
				got = "invalid"
			} else if err != nil {
				t.Fatal(err)
			}
			if got != c.called {
				t.Errorf("the hub was told %s, want %s", got, c.called)
			}
		})
	}
}

// The contract says which topics this service may subscribe to; the Dapr files' scopes follow it.
func TestItSubscribesToWhatTheContractGivesIt(t *testing.T) {
	t.Parallel()
	r := event.NewRouter()
	topics.Register(r, &calls{})
	for _, topic := range r.Topics() {
		if !slices.ContainsFunc(proto.Topics(), func(s proto.TopicSpec) bool {
			return s.Name == topic && slices.Contains(s.FanOut, proto.Notifier)
		}) {
			t.Errorf("the contract does not give %s to every replica of notifier", topic)
		}
	}
}
