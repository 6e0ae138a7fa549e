package conversation

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/postgres"
	"github.com/taskflow-suite/taskflow/services/internal/agenttools"
)

// The roles of a message.
const (
	User      = "user"
	Assistant = "assistant"
)

// Bounds on what a message may hold.
const (
	MaxUserText      = 8_000  // characters
	MaxAssistantText = 32_000 // characters
	MaxAppended      = 10     // messages at a time
	MaxTaskIDs       = 20
	MaxReceipts      = 100
	MaxApprovals     = 20
	MaxApprovalTasks = 20
	MaxSummary       = 2_000 // characters
	MaxModel         = 200   // characters
	// MaxAttached is how many bytes of JSON a message's receipts and its approvals have at most, each.
	MaxAttached = 64 << 10
)

// checker collects what is wrong.
type checker struct{ wrong []errs.Field }

func (c *checker) must(ok bool, field, format string, args ...any) {
	if !ok {
		c.wrong = append(c.wrong, errs.Field{Field: field, Message: fmt.Sprintf(format, args...)})
	}
}

// id returns an id in the form Postgres gives it back.
func (c *checker) id(id, field string) string {
	c.must(postgres.IsUUID(id), field, "must be a UUID")
	return strings.ToLower(id)
}

func (c *checker) text(text string, most int, field string) {
	c.must(postgres.IsText(text), field, "must be UTF-8 text without NUL")
	c.must(strings.TrimSpace(text) != "", field, "must not be empty")
	n := utf8.RuneCountInString(text)
	c.must(n <= most, field, "must be at most %d characters, not %d", most, n)
}

func (c *checker) short(text string, most int, field string) {
	c.must(postgres.IsText(text), field, "must be UTF-8 text without NUL")
	n := utf8.RuneCountInString(text)
	c.must(n <= most, field, "must be at most %d characters, not %d", most, n)
}

// checked are the messages as they will be kept, but for their place and time. errs.Invalid names every wrong field.
func checked(userID string, in agenttools.AppendMessagesInput) (conversationID string, rows []messageRow, err error) {
	var c checker
	conversationID = c.id(in.ConversationID, "conversation_id")
	n := len(in.Messages)
	c.must(n >= 1 && n <= MaxAppended, "messages", "must be 1 to %d", MaxAppended)
	seen := map[string]bool{}
	for i, m := range in.Messages[:min(n, MaxAppended)] {
		r := c.message(m, fmt.Sprintf("messages[%d].", i))
		c.must(!seen[r.ID], fmt.Sprintf("messages[%d].id", i), "is another message's, too")
		seen[r.ID] = true
		r.UserID, r.ConversationID = userID, conversationID
		rows = append(rows, r)
	}
	return conversationID, rows, errs.InvalidFields(c.wrong...)
}

func (c *checker) message(m agenttools.Message, at string) messageRow {
	r := messageRow{ID: c.id(m.ID, at+"id"), Role: m.Role, Text: m.Text, Model: m.Model}
	most := MaxAssistantText
	if m.Role == User {
		most = MaxUserText
	}
	c.must(m.Role == User || m.Role == Assistant, at+"role", "must be user or assistant")
	c.text(m.Text, most, at+"text")
	c.short(m.Model, MaxModel, at+"model")
	if m.InReplyTo != "" {
		id := c.id(m.InReplyTo, at+"in_reply_to")
		r.InReplyTo = &id
	}
	c.must(len(m.TaskIDs) <= MaxTaskIDs, at+"task_ids", "must be at most %d, not %d", MaxTaskIDs, len(m.TaskIDs))
	for i, id := range m.TaskIDs[:min(len(m.TaskIDs), MaxTaskIDs)] {
		r.TaskIDs = append(r.TaskIDs, c.id(id, fmt.Sprintf("%stask_ids[%d]", at, i)))
	}
	c.receipts(m.Receipts, at)
	c.approvals(m.Approvals, at)
	r.Receipts = attached(c, m.Receipts, at+"receipts")
	r.Approvals = attached(c, m.Approvals, at+"approvals")
	return r
}

func (c *checker) receipts(all []agenttools.Receipt, at string) {
	c.must(len(all) <= MaxReceipts, at+"receipts", "must be at most %d, not %d", MaxReceipts, len(all))
	for i, r := range all[:min(len(all), MaxReceipts)] {
		field := fmt.Sprintf("%sreceipts[%d].", at, i)
		c.text(r.Tool, MaxModel, field+"tool")
		c.short(r.Summary, MaxSummary, field+"summary")
		switch r.Outcome {
		case "done", "failed", "unknown", "waiting":
		default:
			c.must(false, field+"outcome", "must be done, failed, unknown or waiting")
		}
	}
}

func (c *checker) approvals(all []agenttools.Approval, at string) {
	c.must(len(all) <= MaxApprovals, at+"approvals", "must be at most %d, not %d", MaxApprovals, len(all))
	for i, a := range all[:min(len(all), MaxApprovals)] {
		field := fmt.Sprintf("%sapprovals[%d].", at, i)
		c.text(a.ID, MaxModel, field+"id")
		c.text(a.Tool, MaxModel, field+"tool")
		c.short(a.Summary, MaxSummary, field+"summary")
		c.must(len(a.Tasks) <= MaxApprovalTasks, field+"tasks", "must be at most %d, not %d", MaxApprovalTasks, len(a.Tasks))
		_, err := time.Parse(time.RFC3339, a.ExpiresAt)
		c.must(err == nil, field+"expires_at", "must be an RFC 3339 instant")
	}
}

// attached is a list as JSON.
func attached[T any](c *checker, all []T, field string) string {
	if len(all) == 0 {
		return none
	}
	raw, err := json.Marshal(all)
	c.must(err == nil, field, "must be JSON")
	c.must(len(raw) <= MaxAttached, field, "must be at most %d bytes of JSON, not %d", MaxAttached, len(raw))
	return string(raw)
}
