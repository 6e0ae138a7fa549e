package ledger

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"time"

	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/event"
	"github.com/taskflow-suite/taskflow/pkg/postgres"
	"github.com/taskflow-suite/taskflow/pkg/telemetry"
)

// maxName is how many bytes a client's id and a tool's name have at most.
const maxName = 255

// row is how Postgres sees a call. It never leaves this package.
type row struct {
	UserID    string `gorm:"primaryKey"`
	ClientID  string `gorm:"primaryKey"`
	RequestID string `gorm:"primaryKey"`
	ID        string
	Tool      string
	Input     string
	InputHash []byte
	// Outcome and DurationMs are nil until the call has ended, Result also if the answer is not kept.
	Outcome        *string
	Result         *string
	ConversationID *string
	RunID          *string
	CorrelationID  string
	StartedAt      time.Time
	DurationMs     *int
}

func (row) TableName() string { return "tool_invocations" }

// rowOf is a call that begins. errs.Invalid names what is wrong with it.
func rowOf(ctx context.Context, c Call, now time.Time) (row, error) {
	var wrong []errs.Field
	check := func(ok bool, field, message string) {
		if !ok {
			wrong = append(wrong, errs.Field{Field: field, Message: message})
		}
	}
	check(isName(c.ClientID), "client_id", "must be 1 to 255 bytes of text")
	check(isName(c.Tool), "tool", "must be 1 to 255 bytes of text")
	check(postgres.IsUUID(c.RequestID), "request_id", "must be a UUID")
	check(c.ConversationID == "" || postgres.IsUUID(c.ConversationID), "conversation_id", "must be a UUID")
	check(c.RunID == "" || postgres.IsUUID(c.RunID), "run_id", "must be a UUID")
	hash, err := hashOf(c.Input)
	check(err == nil, "input", "must be a JSON object")
	if len(wrong) > 0 {
		return row{}, errs.InvalidFields(wrong...)
	}
	return row{
		UserID: c.UserID, ClientID: c.ClientID, RequestID: c.RequestID, ID: event.NewID(),
		Tool: c.Tool, Input: string(c.Input), InputHash: hash,
		ConversationID: orNull(c.ConversationID), RunID: orNull(c.RunID),
		CorrelationID: strings.ToValidUTF8(strings.ReplaceAll(telemetry.Correlation(ctx), "\x00", ""), ""),
		StartedAt:     now.UTC().Truncate(time.Millisecond),
	}, nil
}

func isName(s string) bool { return s != "" && len(s) <= maxName && postgres.IsText(s) }

// hashOf identifies arguments whatever the order of their fields and the space between them.
func hashOf(input json.RawMessage) ([]byte, error) {
	if !postgres.IsText(string(input)) {
		return nil, errors.New("not text")
	}
	decoder := json.NewDecoder(bytes.NewReader(input))
	decoder.UseNumber() // 2^53+1 is not 2^53
	var object map[string]any
	if err := decoder.Decode(&object); err != nil {
		return nil, err
	}
	if _, err := decoder.Token(); object == nil || !errors.Is(err, io.EOF) {
		return nil, errors.New("not one object")
	}
	canonical, err := json.Marshal(object)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(canonical)
	return sum[:], nil
}

func (r row) answer() Result {
	return Result{Outcome: Outcome(*r.Outcome), Answer: json.RawMessage(*r.Result)}
}

func orNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
