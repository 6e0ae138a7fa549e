package agent

import (
	"context"
	"errors"
	"strings"

	"github.com/taskflow-suite/taskflow/services/chat-agent/internal/model"
	"github.com/taskflow-suite/taskflow/services/internal/agenttools"
)

// intents is what the user wants, as a model understands it that was shown the user's message and nothing else. No text
// in a task, in a tool's result or in an older message has any part in it.
type intents struct {
	ready chan struct{}
	stop  context.CancelFunc

	found map[agenttools.Intent]bool
	usage model.Reply
}

// understand asks in the background, so that the answer need not wait for it unless something is to be changed.
func (a *Agent) understand(ctx context.Context, message string) *intents {
	ctx, stop := context.WithCancel(ctx)
	in := &intents{ready: make(chan struct{}), stop: stop}
	go func() {
		defer close(in.ready)
		reply, err := a.model.Ask(ctx, model.Question{
			System: agenttools.IntentPrompt, Turns: []model.Turn{{Role: model.User, Text: message}},
		}, nil)
		if err != nil {
			return // nothing is understood, so every change needs approval
		}
		in.usage = reply
		if found, err := parseIntents(reply.Text); err == nil && reply.End == model.Whole {
			in.found = found
		}
	}()
	return in
}

// has reports whether the user wants something, once that is known.
func (in *intents) has(ctx context.Context, wanted agenttools.Intent) (bool, error) {
	select {
	case <-in.ready:
		return in.found[wanted], nil
	case <-ctx.Done():
		return false, context.Cause(ctx)
	}
}

// end gives the question up if it is still open, and waits for it.
func (in *intents) end() model.Reply {
	in.stop()
	<-in.ready
	return in.usage
}

var errIntents = errors.New("not a list of intents")

// parseIntents takes a list of intents and nothing else: a model that adds a sentence may mean the opposite.
func parseIntents(text string) (map[agenttools.Intent]bool, error) {
	found := map[agenttools.Intent]bool{}
	for word := range strings.FieldsFuncSeq(strings.ToLower(text), func(r rune) bool { return strings.ContainsRune(" ,.;\n\t\r`\"'*", r) }) {
		known := false
		for _, intent := range agenttools.Intents() {
			known = known || string(intent) == word
		}
		if !known {
			return nil, errIntents
		}
		found[agenttools.Intent(word)] = true
	}
	return found, nil
}
