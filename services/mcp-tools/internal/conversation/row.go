package conversation

import (
	"encoding/json"
	"time"

	"github.com/taskflow-suite/taskflow/pkg/postgres"
	"github.com/taskflow-suite/taskflow/services/internal/agenttools"
)

// conversationRow is how Postgres sees a conversation.
type conversationRow struct {
	ID        string `gorm:"primaryKey"`
	UserID    string
	Title     string
	Messages  int
	StartedAt time.Time
	UpdatedAt time.Time `gorm:"autoUpdateTime:false"`
}

func (conversationRow) TableName() string { return "conversations" }

// messageRow is how Postgres sees a message. The column search is Postgres's own.
type messageRow struct {
	ID             string `gorm:"primaryKey"`
	UserID         string `gorm:"primaryKey"`
	ConversationID string
	Position       int
	Role           string
	Text           string
	InReplyTo      *string
	TaskIDs        postgres.Texts
	Receipts       string
	Approvals      string
	Model          string
	CreatedAt      time.Time
}

func (messageRow) TableName() string { return "messages" }

// size is about how many bytes the message has where it travels.
func (r messageRow) size() int { return len(r.Text) + len(r.Receipts) + len(r.Approvals) + 500 }

// message is a row as the agent sees it.
func (r messageRow) message() (agenttools.Message, error) {
	m := agenttools.Message{
		ID: r.ID, Role: r.Role, Text: r.Text, TaskIDs: r.TaskIDs, Model: r.Model, CreatedAt: stamp(r.CreatedAt),
	}
	if r.InReplyTo != nil {
		m.InReplyTo = *r.InReplyTo
	}
	if r.Receipts != none {
		if err := json.Unmarshal([]byte(r.Receipts), &m.Receipts); err != nil {
			return m, err
		}
	}
	if r.Approvals != none {
		if err := json.Unmarshal([]byte(r.Approvals), &m.Approvals); err != nil {
			return m, err
		}
	}
	return m, nil
}

// none is an empty list of receipts or approvals.
const none = "[]"

// stamp is a time as the agent sees it: RFC 3339 in UTC with milliseconds.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z07:00") }
