// Package proto is what services promise each other: every event with its topic and payload (events.go) and every
// topic with its size and its users (topics.go). The payload types are generated from taskflow/ into gen/.
//
// It holds plain values and imports nothing else of TaskFlow.
package proto

import (
	"google.golang.org/protobuf/proto"

	conversationv1 "github.com/taskflow-suite/taskflow/proto/gen/taskflow/conversation/v1"
	schedulev1 "github.com/taskflow-suite/taskflow/proto/gen/taskflow/schedule/v1"
	taskv1 "github.com/taskflow-suite/taskflow/proto/gen/taskflow/task/v1"
	userv1 "github.com/taskflow-suite/taskflow/proto/gen/taskflow/user/v1"
)

// Type is one event: its name on the wire, the topic that carries it, and, as a type, its payload.
type Type[P proto.Message] struct {
	Name  string
	Topic Topic
}

// The events. A name and its payload once released only grow: fields are added, never renamed, retyped or removed.
var (
	TaskCreated    = Type[*taskv1.TaskCreated]{"task.created", Tasks}
	TaskUpdated    = Type[*taskv1.TaskUpdated]{"task.updated", Tasks}
	TaskDueChanged = Type[*taskv1.TaskDueChanged]{"task.due_changed", Tasks}
	TaskCompleted  = Type[*taskv1.TaskCompleted]{"task.completed", Tasks}
	TaskSkipped    = Type[*taskv1.TaskSkipped]{"task.skipped", Tasks}
	TaskReopened   = Type[*taskv1.TaskReopened]{"task.reopened", Tasks}
	TaskDeleted    = Type[*taskv1.TaskDeleted]{"task.deleted", Tasks}
	TaskRestored   = Type[*taskv1.TaskRestored]{"task.restored", Tasks}
	TaskPurged     = Type[*taskv1.TaskPurged]{"task.purged", Tasks}
	ReminderFired  = Type[*taskv1.ReminderFired]{"reminder.fired", Tasks}

	SeriesCreated = Type[*taskv1.SeriesCreated]{"series.created", Tasks}
	SeriesUpdated = Type[*taskv1.SeriesUpdated]{"series.updated", Tasks}
	SeriesEnded   = Type[*taskv1.SeriesEnded]{"series.ended", Tasks}
	SeriesResumed = Type[*taskv1.SeriesResumed]{"series.resumed", Tasks}

	UserCreated = Type[*userv1.UserCreated]{"user.created", Users}
	UserUpdated = Type[*userv1.UserUpdated]{"user.updated", Users}
	UserDeleted = Type[*userv1.UserDeleted]{"user.deleted", Users}

	ConversationStarted = Type[*conversationv1.ConversationStarted]{"conversation.started", Conversations}
	MessageAdded        = Type[*conversationv1.MessageAdded]{"message.added", Conversations}
	ToolInvoked         = Type[*conversationv1.ToolInvoked]{"tool.invoked", Conversations}

	RecurrenceDue = Type[*schedulev1.RecurrenceDue]{"recurrence.due", Scheduling}
	ReminderDue   = Type[*schedulev1.ReminderDue]{"reminder.due", Scheduling}
)

// Kind is an event's name and topic without its payload's type: what a table of all events can hold.
type Kind struct {
	Name  string
	Topic Topic
	// New makes an empty payload of the event's type.
	New func() proto.Message
}

// Kind forgets the payload's type.
func (t Type[P]) Kind() Kind {
	return Kind{Name: t.Name, Topic: t.Topic, New: func() proto.Message {
		var p P
		return p.ProtoReflect().Type().New().Interface()
	}}
}

// Events lists every event there is.
func Events() []Kind {
	return []Kind{
		TaskCreated.Kind(), TaskUpdated.Kind(), TaskDueChanged.Kind(), TaskCompleted.Kind(), TaskSkipped.Kind(), TaskReopened.Kind(),
		TaskDeleted.Kind(), TaskRestored.Kind(), TaskPurged.Kind(), ReminderFired.Kind(),
		SeriesCreated.Kind(), SeriesUpdated.Kind(), SeriesEnded.Kind(), SeriesResumed.Kind(),
		UserCreated.Kind(), UserUpdated.Kind(), UserDeleted.Kind(),
		ConversationStarted.Kind(), MessageAdded.Kind(), ToolInvoked.Kind(),
		RecurrenceDue.Kind(), ReminderDue.Kind(),
	}
}
