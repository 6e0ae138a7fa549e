package work

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/taskflow-suite/taskflow/pkg/event"

	"github.com/taskflow-suite/taskflow/services/e2e/chaos/internal/record"
	"github.com/taskflow-suite/taskflow/services/internal/client"
)

// longestTalk is how many messages a conversation has: one page shows them all, with their answers and calls.
const longestTalk = 8

// talks is somebody who has the agent add tasks.
func (w *worker) talks(ctx context.Context) {
	conversation := event.NewID()
	for n := 1; w.pause(ctx, 500*time.Millisecond, 3*time.Second); n++ {
		if n%longestTalk == 0 {
			conversation = event.NewID()
		}
		title := w.title("errand")
		said := client.Said{ConversationID: conversation, MessageID: event.NewID(), Message: "add " + title}
		r := record.Request{Door: record.Chat, Key: said.MessageID, Items: []record.Item{{Verb: record.Create, Title: title}}}
		w.send(ctx, r, func(ctx context.Context) outcome {
			a, err := w.slow.Say(ctx, said)
			var status *client.Status
			switch {
			case errors.As(err, &status) && status.Code/100 == 4 && status.Code != http.StatusConflict:
				return outcome{Answer: record.Answer{Status: status.Code, Error: status.Body[:min(len(status.Body), 300)], Told: []record.Told{{Status: status.Code}}}}
			case err != nil:
				// Of a conflict too, the first of its kind is still at it, nobody knows the outcome yet.
				return failed(err)
			case len(a.TaskIDs) == 1 && strings.Contains(a.Response, title):
				return outcome{Answer: record.Answer{Status: http.StatusOK, Told: []record.Told{{Status: http.StatusCreated, Seen: record.Seen{ID: a.TaskIDs[0], Version: 1}}}}}
			default:
				return outcome{Answer: record.Answer{Status: http.StatusOK, Error: "the agent says: " + a.Response[:min(len(a.Response), 250)]}}
			}
		})
	}
}
