package rest

import (
	"encoding/json"
	"net/http"
	"strconv"

	"github.com/taskflow-suite/taskflow/services/chat-agent/internal/agent"
)

// reply writes an answer. It stands for the generated response types: the shapes are the agent's own, and a stream cannot
// be had before it is written.
type reply func(w http.ResponseWriter) error

// jsonReply answers 200 with a value.
func jsonReply(value any) reply {
	return func(w http.ResponseWriter) error {
		body, err := json.Marshal(value)
		if err != nil {
			return err
		}
		h := w.Header()
		h.Set("Content-Type", "application/json")
		// What users say here is nobody else's, whatever stands between.
		h.Set("Cache-Control", "private, no-cache")
		h.Set("Content-Length", strconv.Itoa(len(body)))
		w.WriteHeader(http.StatusOK)
		_, err = w.Write(body)
		return err
	}
}

func answerReply(a agent.Answer) reply {
	a.ToolCalls, a.Approvals, a.TaskIDs = list(a.ToolCalls), list(a.Approvals), list(a.TaskIDs)
	return jsonReply(a)
}

// list is an empty list for none: null is no list.
func list[T any](items []T) []T {
	if items == nil {
		return []T{}
	}
	return items
}

// The generated interfaces, one method each.

// VisitSendMessageResponse writes the answer.
func (r reply) VisitSendMessageResponse(w http.ResponseWriter) error { return r(w) }

// VisitDecideApprovalResponse writes the answer.
func (r reply) VisitDecideApprovalResponse(w http.ResponseWriter) error { return r(w) }

// VisitListConversationsResponse writes the answer.
func (r reply) VisitListConversationsResponse(w http.ResponseWriter) error { return r(w) }

// VisitListMessagesResponse writes the answer.
func (r reply) VisitListMessagesResponse(w http.ResponseWriter) error { return r(w) }

// VisitSpeakChatKitResponse writes the answer.
func (r reply) VisitSpeakChatKitResponse(w http.ResponseWriter) error { return r(w) }
