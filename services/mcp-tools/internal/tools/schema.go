package tools

import (
	"encoding/json"
	"slices"

	"github.com/google/jsonschema-go/jsonschema"

	"github.com/taskflow-suite/taskflow/pkg/task"
)

// maxBatch is how many items a call has at most.
const maxBatch = 50

// Every word here is read by a model on every turn: what a name says already has no description.

func object(properties map[string]*jsonschema.Schema, required ...string) *jsonschema.Schema {
	slices.Sort(required)
	return &jsonschema.Schema{
		Type: "object", Properties: properties, Required: required,
		AdditionalProperties: &jsonschema.Schema{Not: &jsonschema.Schema{}},
	}
}

// open is an object of a result, which may grow.
func open(properties map[string]*jsonschema.Schema, required ...string) *jsonschema.Schema {
	slices.Sort(required)
	return &jsonschema.Schema{Type: "object", Properties: properties, Required: required}
}

func text(description string) *jsonschema.Schema {
	return &jsonschema.Schema{Type: "string", Description: description}
}

func enum(description string, values ...any) *jsonschema.Schema {
	return &jsonschema.Schema{Type: "string", Description: description, Enum: values}
}

func boolean(description string) *jsonschema.Schema {
	return &jsonschema.Schema{Type: "boolean", Description: description}
}

func integer(description string, low, high float64) *jsonschema.Schema {
	return &jsonschema.Schema{Type: "integer", Description: description, Minimum: &low, Maximum: &high}
}

func number() *jsonschema.Schema { return &jsonschema.Schema{Type: "integer"} }

func list(items *jsonschema.Schema) *jsonschema.Schema {
	return &jsonschema.Schema{Type: "array", Items: items}
}

func withItems(s *jsonschema.Schema, low, high int) *jsonschema.Schema {
	s.MaxItems = &high
	if low > 0 {
		s.MinItems = &low
	}
	return s
}

func withLength(s *jsonschema.Schema, low, high int) *jsonschema.Schema {
	s.MaxLength = &high
	if low > 0 {
		s.MinLength = &low
	}
	return s
}

// withDefault says what an absent field means; nothing is filled in.
func withDefault(s *jsonschema.Schema, value any) *jsonschema.Schema {
	s.Default, _ = json.Marshal(value) // a constant
	return s
}

func batch(item *jsonschema.Schema) *jsonschema.Schema { return withItems(list(item), 1, maxBatch) }

// id is not checked to be a UUID: an id that is none is of no task, which is one item's failure.
func id() *jsonschema.Schema { return withLength(text(""), 1, 100) }

func ids() *jsonschema.Schema { return batch(id()) }

func priority(description string) *jsonschema.Schema {
	var values []any
	for _, p := range task.Priorities() {
		values = append(values, string(p))
	}
	return enum(description, values...)
}

func moment(description string) *jsonschema.Schema { return withLength(text(description), 1, 40) }

func tags() *jsonschema.Schema {
	return withItems(list(withLength(text(""), 1, task.MaxTag)), 0, task.MaxTags)
}

func reminders() *jsonschema.Schema {
	s := withItems(list(integer("", 0, task.MaxReminder)), 0, task.MaxReminders)
	s.Description = "Minutes before due"
	return s
}

func repeats(more string, clears bool) *jsonschema.Schema {
	description := "daily, weekly, monthly or an RRULE by day, week, month or year, such as FREQ=WEEKLY;BYDAY=MO,TH or FREQ=MONTHLY;BYMONTHDAY=-1 (last day)"
	if clears {
		description = "As in add_tasks; \"none\" stops it"
	}
	return withLength(text(description+more), 1, 200)
}

func remindAt(description string) *jsonschema.Schema {
	return described(withItems(list(moment("")), 0, task.MaxReminders), description)
}

func catchUp() *jsonschema.Schema {
	return enum("Occurrences missed in an outage: make the latest (default), all, or skip them", string(task.Latest), string(task.All), string(task.PassOver))
}

func scope(description string) *jsonschema.Schema {
	return withDefault(enum(description, string(task.This), string(task.Following)), string(task.This))
}

func repeatsFrom() *jsonschema.Schema {
	return enum("What the next one counts from", string(task.OnSchedule), string(task.OnCompletion))
}

func version() *jsonschema.Schema {
	return integer("Fail if the task is not at this version", 1, 1<<31-1)
}

func newTask() *jsonschema.Schema {
	return object(map[string]*jsonschema.Schema{
		"title":        withLength(text(""), 1, task.MaxTitle),
		"description":  withLength(text(""), 0, task.MaxDescription),
		"priority":     priority(""),
		"tags":         tags(),
		"due":          moment("2026-12-01T17:00:00+05:00, 2026-12-01T17:00 (local) or 2026-12-01 (all day)"),
		"reminders":    reminders(),
		"remind_at":    remindAt("Reminders at times of their own, with or without due"),
		"repeats":      repeats(". The first one is at due", false),
		"repeats_from": repeatsFrom(),
		"catch_up":     catchUp(),
	}, "title")
}

func taskUpdate() *jsonschema.Schema {
	return object(map[string]*jsonschema.Schema{
		"id":           id(),
		"version":      version(),
		"title":        withLength(text(""), 1, task.MaxTitle),
		"description":  withLength(text("Replaces all of it"), 0, task.MaxDescription),
		"priority":     priority(""),
		"tags":         described(tags(), "Replaces all tags"),
		"add_tags":     tags(),
		"remove_tags":  tags(),
		"reminders":    reminders(),
		"remind_at":    remindAt("Replaces all. To snooze: the time to be reminded again, such as 2026-12-01T17:30"),
		"repeats":      repeats(", also for all that follow", true),
		"repeats_from": repeatsFrom(),
		"catch_up":     catchUp(),
	}, "id")
}

func described(s *jsonschema.Schema, description string) *jsonschema.Schema {
	s.Description = description
	return s
}

func taskMove() *jsonschema.Schema {
	return object(map[string]*jsonschema.Schema{
		"id":      id(),
		"version": version(),
		"due":     moment("As in add_tasks, or \"none\""),
		"all_day": boolean("Due on the whole day, without a time"),
	}, "id", "due")
}

func message() *jsonschema.Schema {
	// Package conversation checks what is in them, and its bounds are its own.
	return object(map[string]*jsonschema.Schema{
		"id": id(), "role": enum("", "user", "assistant"), "text": text(""), "in_reply_to": id(), "task_ids": list(id()),
		"receipts": list(&jsonschema.Schema{Type: "object"}), "approvals": list(&jsonschema.Schema{Type: "object"}),
		"model": text(""), "created_at": text(""),
	}, "id", "role", "text")
}

// Results.

func shownTask() *jsonschema.Schema {
	s := text
	return open(map[string]*jsonschema.Schema{
		"id": s(""), "title": s(""), "description": s(""), "status": enum("", "open", "completed", "skipped", "deleted"), "priority": s("Absent: none"),
		"tags": list(s("")), "due": s("A date: all day"), "reminders": list(number()), "remind_at": list(s("")), "repeats": s(""), "repeats_from": s(""),
		"repeats_zone": s("Absent: the user's"), "catch_up": s(""), "series_id": s(""), "occurrence": s("Its place in the series, local"),
		"completed_at": s(""), "skipped_at": s(""), "version": number(),
	}, "id", "title", "status", "version")
}

func failures() *jsonschema.Schema {
	s := text
	return described(list(open(map[string]*jsonschema.Schema{
		"item": s("Id, or position from 0"), "code": s(""), "error": s(""), "try_next": s(""),
	}, "item", "code", "error")), "Not done")
}

func tasksOutput() *jsonschema.Schema {
	return open(map[string]*jsonschema.Schema{"time_zone": text(""), "tasks": list(shownTask()), "failures": failures()}, "time_zone", "tasks")
}

func pageOutput() *jsonschema.Schema {
	return open(map[string]*jsonschema.Schema{
		"time_zone": text(""), "tasks": list(shownTask()), "next_cursor": text("Absent on the last page"),
	}, "time_zone", "tasks")
}

func deleteOutput() *jsonschema.Schema {
	return open(map[string]*jsonschema.Schema{
		"time_zone": text(""), "plan": described(list(shownTask()), "What would be deleted"), "confirmation": text(""), "expires_at": text(""),
		"ends_series": described(list(text("")), "Ids with which a series ends"), "note": text("To tell the user"),
		"tasks": described(list(open(nil)), "What was deleted"), "failures": failures(),
	}, "time_zone")
}

func previewOutput() *jsonschema.Schema {
	return open(map[string]*jsonschema.Schema{
		"time_zone": text(""), "repeats": text("The rule as it is kept"), "occurrences": list(text("")), "ended": boolean("There are no more"),
	}, "time_zone", "repeats", "occurrences")
}

func overviewOutput() *jsonschema.Schema {
	return open(map[string]*jsonschema.Schema{
		"time_zone": text(""), "now": text(""), "open": number(), "completed": number(), "overdue": number(), "due_today": number(), "deleted": number(),
		"open_by_priority": {Type: "object", AdditionalProperties: number()},
		"overdue_tasks":    described(list(open(nil)), "As in find_tasks"), "next_tasks": list(open(nil)),
	}, "time_zone", "now", "open", "completed", "overdue", "due_today", "deleted", "open_by_priority", "overdue_tasks", "next_tasks")
}

func profileOutput() *jsonschema.Schema {
	return open(map[string]*jsonschema.Schema{"time_zone": text(""), "now": text(""), "weekday": text("")}, "time_zone", "now", "weekday")
}

func shownMessage() *jsonschema.Schema {
	return open(map[string]*jsonschema.Schema{"id": text(""), "role": text(""), "text": text("")}, "id", "role", "text")
}

func loadedOutput() *jsonschema.Schema {
	return open(map[string]*jsonschema.Schema{
		"conversation_id": text(""), "title": text(""), "messages": list(shownMessage()), "more": boolean(""), "answer": shownMessage(),
		"calls": list(open(nil)), "time_zone": text(""), "now": text(""),
	}, "conversation_id", "messages", "time_zone", "now")
}

func appendedOutput() *jsonschema.Schema {
	return open(map[string]*jsonschema.Schema{"conversation_id": text(""), "messages": list(shownMessage())}, "conversation_id", "messages")
}

func foundOutput() *jsonschema.Schema {
	return open(map[string]*jsonschema.Schema{
		"time_zone": text(""), "next_cursor": text(""),
		"conversations": list(open(map[string]*jsonschema.Schema{
			"id": text(""), "title": text(""), "messages": number(), "started_at": text(""), "updated_at": text(""), "snippet": text(""), "message_id": text(""),
		}, "id", "title", "messages", "started_at", "updated_at")),
	}, "time_zone", "conversations")
}
