package offline

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/taskflow-suite/taskflow/services/internal/agenttools"
)

// run answers one message. It is carried out from the beginning each time the model is asked: a call of a tool whose result is
// among the messages has that result, and the first one whose result is not there is what is asked for next. So the plans
// below are written as if calling a tool took no time, and nothing is kept between requests.
type run struct {
	now      time.Time
	offered  []string
	executed []executed
	// history is what was said before the message, the oldest first.
	history []turn
	// next is the call to make.
	next *call
}

// turn is something that was said.
type turn struct {
	user bool
	text string
}

// call is a call of a tool.
type call struct {
	Tool      string
	Arguments json.RawMessage
}

// executed is a call and what came of it.
type executed struct {
	tool   string
	result string
	used   bool
}

// errNext ends a plan whose next call has to be made first.
var errNext = errors.New("a tool has to be called")

// missingToolError ends a plan for lack of a tool.
type missingToolError struct{ tool string }

func (e missingToolError) Error() string { return e.tool + " is not offered" }

// failure is what a tool said against a call.
type failure struct{ text string }

func (e failure) Error() string { return e.text }

// waiting says that a call is carried out only after the user agreed.
type waiting struct{ summary string }

func (e waiting) Error() string { return "waiting for approval" }

// ask is a tool's result.
func (r *run) ask(tool string, arguments any) (result, error) {
	for i := range r.executed {
		if e := &r.executed[i]; !e.used && e.tool == tool {
			e.used = true
			return readResult(e.result)
		}
	}
	if !slices.Contains(r.offered, tool) {
		return result{}, missingToolError{tool}
	}
	text, err := json.Marshal(arguments)
	if err != nil {
		return result{}, err
	}
	r.next = &call{tool, text}
	return result{}, errNext
}

// result is a tool's result as far as the rules read it. No text in it is read as anything but a name or a message to show.
type result struct {
	agenttools.Tasks
	Conversations []agenttools.Conversation `json:"conversations"`
	Occurrences   []string                  `json:"occurrences"`
	Overdue       []agenttools.Task         `json:"overdue_tasks"`
	Coming        []agenttools.Task         `json:"next_tasks"`
	raw           map[string]any
}

// readResult reads the JSON object in what a tool said, whatever the agent put around it. The agent says waiting instead of a
// result when the user has to agree first, and error when there is none.
func readResult(text string) (result, error) {
	var r result
	begun := strings.IndexByte(text, '{')
	if begun < 0 {
		return r, failure{strings.TrimSpace(text)}
	}
	if err := json.NewDecoder(strings.NewReader(text[begun:])).Decode(&r.raw); err != nil {
		return r, failure{"the tool's answer cannot be read"}
	}
	if said, ok := r.raw["waiting"].(string); ok {
		return r, waiting{said}
	}
	if said, ok := r.raw["error"].(string); ok {
		next, _ := r.raw["try_next"].(string)
		return r, failure{explanation(said, next)}
	}
	if err := json.NewDecoder(strings.NewReader(text[begun:])).Decode(&r); err != nil {
		return r, failure{"the tool's answer cannot be read"}
	}
	return r, nil
}

// explanation is why a tool did nothing. The agent hands a tool's own error on as a text, which is JSON with an error and what
// to try next, or with the failures of a batch.
func explanation(said, next string) string {
	var own struct {
		Error    string               `json:"error"`
		TryNext  string               `json:"try_next"`
		Failures []agenttools.Failure `json:"failures"`
	}
	if json.Unmarshal([]byte(said), &own) == nil {
		if own.Error != "" {
			said, next = own.Error, own.TryNext
		} else if len(own.Failures) > 0 {
			said, next = own.Failures[0].Error, own.Failures[0].TryNext
		}
	}
	if next == "" {
		return said
	}
	return sentenceOf(said) + " " + next
}
