package conversation

import (
	"context"
	"slices"

	"gorm.io/gorm"

	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/postgres"
	"github.com/taskflow-suite/taskflow/services/internal/agenttools"
)

// Bounds of a page of messages.
const (
	MaxPage     = 100
	DefaultPage = 30
	// maxPageSize is how many bytes the messages of a page have together, but for the first of them: a page travels as one
	// message of the bus.
	maxPageSize = 384 << 10
)

// Load is load_conversation without TimeZone and Now. An unknown conversation is an empty one. A page may be shorter than
// its limit when its messages are long. errs.Invalid names what is wrong with the input; errs.Stale if a later attempt
// at the run was here before.
func (b *Book) Load(ctx context.Context, userID string, in agenttools.LoadConversationInput) (agenttools.LoadedConversation, error) {
	var c checker
	id := c.id(in.ConversationID, "conversation_id")
	if in.Before != "" {
		in.Before = c.id(in.Before, "before")
	}
	if in.Run != "" {
		in.Run = c.id(in.Run, "run")
	}
	if in.Attempt != "" {
		in.Attempt = c.id(in.Attempt, "attempt")
		c.must(in.Run != "", "attempt", "must come with the run it is an attempt at")
	}
	if in.Limit == 0 {
		in.Limit = DefaultPage
	}
	c.must(in.Limit >= 1 && in.Limit <= MaxPage, "limit", "must be 1 to %d", MaxPage)
	if err := errs.InvalidFields(c.wrong...); err != nil {
		return agenttools.LoadedConversation{}, err
	}

	if in.Attempt != "" {
		if err := takeOver(b.tx.Under(ctx), userID, in.Run, in.Attempt, b.now()); err != nil {
			return agenttools.LoadedConversation{}, err
		}
	}
	loaded := agenttools.LoadedConversation{ConversationID: id, Messages: []agenttools.Message{}}
	of, err := b.find(ctx, userID, id, false)
	if errs.Is(err, errs.NotFound) {
		return loaded, nil
	}
	if err != nil {
		return agenttools.LoadedConversation{}, err
	}
	loaded.Title = of.Title
	if loaded.Messages, loaded.More, err = b.page(ctx, of, in.Before, in.Limit); err != nil {
		return agenttools.LoadedConversation{}, err
	}
	if in.Run == "" {
		return loaded, nil
	}
	if loaded.Answer, err = b.answer(ctx, of, in.Run); err != nil {
		return agenttools.LoadedConversation{}, err
	}
	loaded.Calls, err = b.calls(ctx, userID, in.Run)
	return loaded, err
}

// of selects a conversation's messages.
func (b *Book) of(ctx context.Context, c conversationRow) *gorm.DB {
	return b.tx.WithContext(ctx).Where("user_id = ? AND conversation_id = ?", c.UserID, c.ID)
}

// page is the newest messages before one of them, oldest first.
func (b *Book) page(ctx context.Context, c conversationRow, before string, limit int) (page []agenttools.Message, more bool, err error) {
	query := b.of(ctx, c)
	if before != "" {
		var at messageRow
		err := b.of(ctx, c).Select("position").Where("id = ?", before).Take(&at).Error
		if postgres.IsNone(err) {
			return nil, false, errs.InvalidFields(errs.Field{Field: "before", Message: "must be a message of this conversation"})
		}
		if err != nil {
			return nil, false, postgres.Failure(err)
		}
		query = query.Where("position < ?", at.Position)
	}
	var rows []messageRow
	// One more tells whether there are older ones.
	if err := query.Order("position DESC").Limit(limit + 1).Find(&rows).Error; err != nil {
		return nil, false, postgres.Failure(err)
	}
	n, size := 0, 0
	for n < min(len(rows), limit) {
		size += rows[n].size()
		if n > 0 && size > maxPageSize {
			break
		}
		n++
	}
	more = n < len(rows)
	rows = rows[:n]
	slices.Reverse(rows)
	page, err = messages(rows)
	return page, more, err
}

// answer is the first message of the assistant that answers a message, nil without one.
func (b *Book) answer(ctx context.Context, c conversationRow, run string) (*agenttools.Message, error) {
	var rows []messageRow
	err := b.of(ctx, c).Where("in_reply_to = ? AND role = ?", run, Assistant).Order("position").Limit(1).Find(&rows).Error
	if err != nil || len(rows) == 0 {
		return nil, postgres.Failure(err)
	}
	m, err := rows[0].message()
	return &m, err
}
