package agent

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/taskflow-suite/taskflow/services/internal/agenttools"
)

const (
	// maxTitles is how many titles a summary names.
	maxTitles = 3
	// maxReason is how much of a tool's own words goes into a sentence of the answer, in bytes.
	maxReason = 300
	// maxShown is how large a call's arguments may be to be kept with its receipt, in bytes.
	maxShown = 2 << 10
	// maxKept is how many bytes of JSON an answer's receipts have, and its approvals: what a conversation keeps is 64 KiB.
	maxKept = 48 << 10
	// maxTaskIDs is how many tasks an answer is linked to.
	maxTaskIDs = 20
)

// deed is a call that was made, or waits: its receipt, and what the agent must know of it to stay honest.
type deed struct {
	agenttools.Receipt
	changes bool
	// skips says that complete_tasks was to pass occurrences over.
	skips bool
	tasks []agenttools.Task
	// reason is why it failed, or what part of it did, as the tool said.
	reason string
}

func newDeed(t tool, arguments map[string]any, r result) deed {
	d := deed{
		Receipt: agenttools.Receipt{Tool: t.Name, Arguments: shown(arguments), Outcome: string(r.outcome)},
		changes: t.changes, skips: skips(t.Name, arguments),
	}
	var answer struct {
		Tasks    []agenttools.Task    `json:"tasks"`
		Failures []agenttools.Failure `json:"failures"`
		Error    string               `json:"error"`
	}
	if r.output != nil && json.Unmarshal(r.output, &answer) == nil {
		d.tasks = answer.Tasks
		if len(answer.Failures) > 0 {
			d.reason = fmt.Sprintf("%s not done (%s)", count(len(answer.Failures), "item"), answer.Failures[0].Error)
			if t.changes && len(answer.Tasks) == 0 {
				d.Outcome = string(failed)
			}
		}
	}
	switch outcome(d.Outcome) {
	case failed:
		if d.reason == "" {
			d.reason = answer.Error
		}
		if d.reason == "" {
			d.reason = r.text
		}
		d.Summary = "failed: " + line(d.reason)
	case unknown:
		d.reason, d.Summary = r.text, "nobody knows whether it was done"
	default:
		d.Summary = d.achieved()
		if d.reason != "" {
			d.Summary += ", " + line(d.reason)
		}
	}
	return d
}

// skips reports whether a call passes occurrences over instead of completing them.
func skips(tool string, arguments map[string]any) bool {
	skip, _ := arguments["skip"].(bool)
	return skip && tool == agenttools.CompleteTasks
}

// shown is a call's arguments as they are kept with the receipt, if they are not too large.
func shown(arguments map[string]any) map[string]any {
	if len(canonical(arguments)) > maxShown {
		return nil
	}
	return arguments
}

// fitting are receipts that a conversation can keep: without arguments if they are too large together.
func fitting(deeds []deed) []agenttools.Receipt {
	var all []agenttools.Receipt
	for _, d := range deeds {
		all = append(all, d.Receipt)
	}
	if sizeOf(all) > maxKept {
		for i := range all {
			all[i].Arguments, all[i].Summary = nil, cut(all[i].Summary, 80)
		}
	}
	return all
}

func sizeOf(v any) int {
	text, err := json.Marshal(v)
	if err != nil {
		return maxKept + 1
	}
	return len(text)
}

// achieved says in a few words what was done.
func (d deed) achieved() string {
	switch d.Tool {
	case agenttools.AddTasks:
		return d.counted("added")
	case agenttools.UpdateTasks:
		return d.counted("updated")
	case agenttools.CompleteTasks:
		if d.skips {
			return d.counted("skipped")
		}
		return d.counted("completed")
	case agenttools.ReopenTasks:
		return d.counted("reopened")
	case agenttools.RescheduleTasks:
		return d.counted("rescheduled")
	case agenttools.DeleteTasks:
		return d.counted("deleted")
	case agenttools.RestoreTasks:
		return d.counted("restored")
	case agenttools.FindTasks, agenttools.GetTasks:
		return d.counted("found")
	case agenttools.SearchConversations:
		return "conversations searched"
	default:
		return strings.ReplaceAll(d.Tool, "_", " ") + " done"
	}
}

func (d deed) counted(verb string) string {
	text := count(len(d.tasks), "task") + " " + verb
	if d.changes && len(d.tasks) > 0 && len(d.tasks) <= maxTitles {
		var titles []string
		for _, t := range d.tasks {
			titles = append(titles, line(t.Title))
		}
		text += ": " + strings.Join(titles, ", ")
	}
	return text
}

// line is a tool's or a user's words in one short line.
func line(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	if short := cut(text, maxReason); short != text {
		return short + "…"
	}
	return text
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// linked are the tasks an answer is about: those that were changed, then those whose title it names, then the others that
// were read.
func linked(deeds []deed, text string) []string {
	ids := []string{}
	lower := strings.ToLower(text)
	for _, wanted := range []func(deed, agenttools.Task) bool{
		func(d deed, _ agenttools.Task) bool { return d.changes },
		func(_ deed, t agenttools.Task) bool {
			return t.Title != "" && strings.Contains(lower, strings.ToLower(t.Title))
		},
		func(deed, agenttools.Task) bool { return true },
	} {
		for _, d := range deeds {
			for _, t := range d.tasks {
				if len(ids) < maxTaskIDs && isUUID(t.ID) && wanted(d, t) && !slices.Contains(ids, t.ID) {
					ids = append(ids, t.ID)
				}
			}
		}
	}
	return ids
}
