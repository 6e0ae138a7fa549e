package agent

import (
	"encoding/json"
	"fmt"

	"github.com/google/uuid"
)

// derived is the UUIDv5 (RFC 9562) of parts within a UUID that is there already. What is derived from the same message is
// the same on every replica and however often it is tried.
func derived(within string, parts ...any) string {
	space, err := uuid.Parse(within)
	if err != nil {
		// Ids are checked at the door or made here; another namespace is still a deterministic one.
		space = uuid.NewSHA1(uuid.Nil, []byte(within))
	}
	var name []byte
	for _, part := range parts {
		text := fmt.Sprint(part)
		name = fmt.Appendf(name, "%d:%s", len(text), text)
	}
	return uuid.NewSHA1(space, name).String()
}

func answerID(message string) string              { return derived(message, "answer") }
func conversationOf(message string) string        { return derived(message, "conversation") }
func decisionID(approval string) string           { return derived(approval, "decision") }
func executionID(approval string) string          { return derived(approval, "execute") }
func callID(run, tool, args string, n int) string { return derived(run, tool, args, n) }
func approvalID(call string) string               { return derived(call, "approval") }

func isUUID(text string) bool {
	_, err := uuid.Parse(text)
	return err == nil && len(text) == 36
}

// canonical is one spelling for all that mean the same arguments: keys sorted, no spaces.
func canonical(arguments map[string]any) string {
	if arguments == nil {
		return "{}"
	}
	text, err := json.Marshal(arguments)
	if err != nil {
		return "{}" // cannot be: it was decoded from JSON
	}
	return string(text)
}
