package agenttools

import (
	"strings"
	"time"
)

// nowLine begins the line of the agent's prompt that says what time it is for the user.
const nowLine = "Current time: "

// nowFormat is RFC 3339 with the weekday, which models are bad at computing.
const nowFormat = time.RFC3339 + ", Monday"

// NowLine is the line of the agent's prompt that says what time it is for the user. now must be in the user's zone.
func NowLine(now time.Time) string {
	return nowLine + now.Format(nowFormat) + ", time zone " + now.Location().String()
}

// ParseNowLine finds NowLine in a prompt; ok is false if it has none.
func ParseNowLine(prompt string) (now time.Time, ok bool) {
	for line := range strings.Lines(prompt) {
		said, found := strings.CutPrefix(strings.TrimSpace(line), nowLine)
		if !found {
			continue
		}
		stamp, zone, found := strings.Cut(said, ", time zone ")
		if !found {
			continue
		}
		stamp, _, _ = strings.Cut(stamp, ",")
		at, err := time.Parse(time.RFC3339, stamp)
		if err != nil {
			continue
		}
		place, err := time.LoadLocation(zone)
		if err != nil {
			continue
		}
		return at.In(place), true
	}
	return time.Time{}, false
}

// IntentPrompt is the whole system prompt of the agent's second question to the model, which sees the user's message alone
// and nothing that was read from tasks: what does the user want? The answer bounds what the run may change without asking.
const IntentPrompt = `You classify one message of a person to their task manager. Answer with one or more of these words, separated by commas, and nothing else: ` +
	`create (new tasks), read (look something up), update (change, move or snooze tasks, or how they repeat), delete (remove or restore tasks), toggle (complete, skip or reopen tasks), talk (anything else).`

// Intent is what a user wants.
type Intent string

// The intents.
const (
	Create Intent = "create"
	Read   Intent = "read"
	Update Intent = "update"
	Delete Intent = "delete"
	Toggle Intent = "toggle"
	Talk   Intent = "talk"
)

// Intents lists the intents.
func Intents() []Intent { return []Intent{Create, Read, Update, Delete, Toggle, Talk} }

// IntentOf is the intent that a tool serves: what a user must have asked for before the agent calls the tool unasked.
func IntentOf(tool string) Intent {
	switch tool {
	case AddTasks:
		return Create
	case UpdateTasks, RescheduleTasks:
		return Update
	case DeleteTasks, RestoreTasks:
		return Delete
	case CompleteTasks, ReopenTasks:
		return Toggle
	default:
		return Read
	}
}
