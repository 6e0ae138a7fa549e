package chatkit

import (
	"strings"
	"time"

	"github.com/taskflow-suite/taskflow/services/internal/agenttools"
)

// shown is an assistant's message with what it asks the user to agree to, and how: the protocol's text has no buttons, but
// the agent takes a plain yes or no for all that the last answer asks.
func shown(text string, asked []agenttools.Approval) string {
	if len(asked) == 0 {
		return text
	}
	var all strings.Builder
	all.WriteString(text)
	for _, a := range asked {
		if all.Len() > 0 {
			all.WriteString("\n\n")
		}
		all.WriteString("To be approved: " + plain(a.Summary))
		if len(a.Tasks) > 0 {
			all.WriteString("\n")
		}
		for _, title := range a.Tasks {
			all.WriteString("\n- " + plain(title))
		}
	}
	all.WriteString("\n\nReply **yes** to approve")
	if len(asked) > 1 {
		all.WriteString(" all of this")
	}
	all.WriteString(", or **no** to decline" + until(asked) + ".")
	return all.String()
}

// until says when the first approval runs out.
func until(asked []agenttools.Approval) string {
	var first time.Time
	for _, a := range asked {
		if at, err := time.Parse(time.RFC3339, a.ExpiresAt); err == nil && (first.IsZero() || at.Before(first)) {
			first = at
		}
	}
	if first.IsZero() {
		return ""
	}
	return ", before " + first.UTC().Format("15:04") + " UTC"
}

// markdown escapes what would be more than text (CommonMark, section 2.4): titles are anybody's words.
var markdown = strings.NewReplacer(
	`\`, `\\`, "`", "\\`", `*`, `\*`, `_`, `\_`, `[`, `\[`, `]`, `\]`, `<`, `\<`, `>`, `\>`, `~`, `\~`, `|`, `\|`, `&`, `\&`, `$`, `\$`, `#`, `\#`,
)

func plain(text string) string { return markdown.Replace(strings.Join(strings.Fields(text), " ")) }

// progress is what is shown while a tool works. The tools' names are the model's words: only known ones are told.
func progress(tool string) string {
	said, known := map[string]string{
		agenttools.AddTasks: "Adding tasks", agenttools.FindTasks: "Looking for tasks", agenttools.GetTasks: "Looking at tasks",
		agenttools.UpdateTasks: "Changing tasks", agenttools.CompleteTasks: "Completing tasks", agenttools.ReopenTasks: "Reopening tasks",
		agenttools.RescheduleTasks: "Rescheduling tasks", agenttools.DeleteTasks: "Working on the deletion", agenttools.RestoreTasks: "Restoring tasks",
		agenttools.PreviewRecurrence: "Working out dates", agenttools.GetOverview: "Looking at your tasks", agenttools.GetProfile: "Looking at your settings",
		agenttools.SearchConversations: "Searching conversations",
	}[tool]
	if !known {
		said = "Working"
	}
	return said + "…"
}
