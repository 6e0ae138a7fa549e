package tools

import (
	"time"

	"github.com/taskflow-suite/taskflow/pkg/task"
	"github.com/taskflow-suite/taskflow/services/internal/agenttools"
)

// Descriptions can be long, and an answer must fit into one message of the bus and into a model's context.
const (
	// briefDescription is how many characters are shown where many tasks are.
	briefDescription = 300
	// allDescriptions is how many get_tasks shows, of all tasks together.
	allDescriptions = 40_000

	cutMark = "… (cut; get_tasks has all of it)"
	// tooLong marks what get_tasks itself had no room for.
	tooLong = "… (cut; get fewer tasks at a time)"
)

// brief shows a task with the beginning of its description.
func brief(t task.Task, zone *time.Location) agenttools.Task {
	s := whole(t, zone)
	s.Description = cut(s.Description, briefDescription, cutMark)
	return s
}

func whole(t task.Task, zone *time.Location) agenttools.Task {
	s := agenttools.Task{
		ID: t.ID, Title: t.Title, Description: t.Description, Status: "open", Tags: t.Tags, Reminders: t.Reminders, Version: t.Version,
	}
	switch {
	case t.Deleted():
		s.Status = "deleted"
	case t.Completed():
		s.Status = "completed"
	case !t.SkippedAt.IsZero():
		s.Status = "skipped"
	}
	if t.Priority != task.None {
		s.Priority = string(t.Priority)
	}
	switch {
	case t.Due.Date != "":
		s.Due = t.Due.Date
	case !t.Due.IsZero():
		s.Due = stamp(t.Due.At, zone)
	}
	for _, at := range t.RemindAt {
		s.RemindAt = append(s.RemindAt, stamp(at, zone))
	}
	if r := t.Recurrence; r != nil {
		s.Repeats, s.RepeatsFrom, s.RepeatsZone = r.Rule, string(r.Anchor), r.TimeZone
		if r.CatchUp != task.Latest {
			s.CatchUp = string(r.CatchUp)
		}
	}
	if !t.Occurrence.IsZero() {
		s.SeriesID, s.Occurrence = t.Occurrence.SeriesID, t.Occurrence.At.Format(wallFormat)
	}
	if t.Completed() {
		s.CompletedAt = stamp(t.CompletedAt, zone)
	}
	if !t.SkippedAt.IsZero() {
		s.SkippedAt = stamp(t.SkippedAt, zone)
	}
	return s
}

func (c *call) briefs(tasks []task.Task) []agenttools.Task {
	shown := make([]agenttools.Task, 0, len(tasks))
	for _, t := range tasks {
		shown = append(shown, brief(t, c.zone))
	}
	return shown
}
