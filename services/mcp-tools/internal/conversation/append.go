package conversation

import (
	"context"
	"strings"
	"time"
	"unicode"

	"gorm.io/gorm/clause"

	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/event"
	"github.com/taskflow-suite/taskflow/pkg/postgres"
	"github.com/taskflow-suite/taskflow/proto"
	conversationv1 "github.com/taskflow-suite/taskflow/proto/gen/taskflow/conversation/v1"
	"github.com/taskflow-suite/taskflow/services/internal/agenttools"
)

// MaxTitle is how many characters of the user's first message are the conversation's title.
const MaxTitle = 80

// Append is append_messages. A message that is there already with the same text is left as it is; with another text, or
// in another conversation, it is errs.Conflict. errs.Invalid names every wrong field; errs.NotFound for a conversation of
// another user.
func (b *Book) Append(ctx context.Context, userID string, in agenttools.AppendMessagesInput) (agenttools.AppendedMessages, error) {
	id, rows, err := checked(userID, in)
	if err != nil {
		return agenttools.AppendedMessages{}, err
	}
	now := b.now().UTC().Truncate(time.Millisecond)
	c, kept, began, err := b.open(ctx, userID, id, rows, now)
	if err != nil {
		return agenttools.AppendedMessages{}, err
	}
	var (
		fresh []messageRow
		facts []event.Draft
	)
	if began {
		facts = append(facts, event.New(proto.ConversationStarted, now, userID, c.ID, 1, &conversationv1.ConversationStarted{}))
	}
	for i := range rows {
		if before, ok := kept[rows[i].ID]; ok {
			rows[i] = before
			continue
		}
		c.Messages++
		c.UpdatedAt = now
		if c.Title == "" && rows[i].Role == User {
			c.Title = titleOf(rows[i].Text)
		}
		rows[i].Position, rows[i].CreatedAt = c.Messages, now
		fresh = append(fresh, rows[i])
		// The conversation's version: that it began is 1.
		facts = append(facts, event.New(proto.MessageAdded, now, userID, c.ID, c.Messages+1,
			&conversationv1.MessageAdded{MessageId: rows[i].ID, Role: rows[i].Role}))
	}
	if len(fresh) > 0 {
		if err := b.write(ctx, c, fresh); err != nil {
			return agenttools.AppendedMessages{}, err
		}
		if err := b.tx.Under(ctx).Append(facts...); err != nil {
			return agenttools.AppendedMessages{}, err
		}
	}
	out := agenttools.AppendedMessages{ConversationID: c.ID}
	out.Messages, err = messages(rows)
	return out, err
}

// open locks the conversation, which begins if there is none, and finds those of the messages that it has already. Nothing
// is written on an error.
func (b *Book) open(ctx context.Context, userID, id string, rows []messageRow, now time.Time) (c conversationRow, kept map[string]messageRow, began bool, err error) {
	for range 2 {
		c, err = b.find(ctx, userID, id, true)
		unknown := errs.Is(err, errs.NotFound)
		if err != nil && !unknown {
			return c, nil, false, err
		}
		if kept, err = b.kept(ctx, userID, id, rows); err != nil || !unknown {
			return c, kept, false, err
		}
		c = conversationRow{ID: id, UserID: userID, StartedAt: now, UpdatedAt: now}
		done := b.tx.WithContext(ctx).Clauses(clause.OnConflict{DoNothing: true}).Create(&c)
		if done.Error != nil || done.RowsAffected == 1 {
			return c, kept, true, postgres.Failure(done.Error)
		}
		// Somebody else began it meanwhile: this user, and then it is found now; or it is another user's.
	}
	return c, nil, false, noConversation(id)
}

// kept are those of the messages that the user has already, by id. errs.Conflict if one of them says something else, or
// says it in another conversation.
func (b *Book) kept(ctx context.Context, userID, conversationID string, rows []messageRow) (map[string]messageRow, error) {
	ids := make(postgres.Texts, len(rows))
	for i, r := range rows {
		ids[i] = r.ID
	}
	var found []messageRow
	err := b.tx.WithContext(ctx).Where("user_id = ? AND id = ANY(?::uuid[])", userID, ids).Find(&found).Error
	if err != nil {
		return nil, postgres.Failure(err)
	}
	kept := make(map[string]messageRow, len(found))
	for _, r := range found {
		kept[r.ID] = r
	}
	for _, r := range rows {
		before, ok := kept[r.ID]
		if ok && (before.ConversationID != conversationID || before.Role != r.Role || before.Text != r.Text) {
			return nil, errs.New(errs.Conflict, "message %s exists already and says something else", r.ID)
		}
	}
	return kept, nil
}

func (b *Book) write(ctx context.Context, c conversationRow, fresh []messageRow) error {
	if err := b.tx.WithContext(ctx).Create(&fresh).Error; err != nil {
		if postgres.IsDuplicate(err) {
			// The same id in another conversation, at the same time.
			return errs.Because(err, errs.Conflict, "a message of that id exists already")
		}
		return postgres.Failure(err)
	}
	return postgres.Failure(b.tx.WithContext(ctx).Model(&c).Select("title", "messages", "updated_at").Updates(&c).Error)
}

// titleOf is the beginning of a text on one line.
func titleOf(text string) string {
	words := strings.FieldsFunc(text, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) })
	return firstRunes(strings.Join(words, " "), MaxTitle)
}

// firstRunes cuts a text to n characters.
func firstRunes(text string, n int) string {
	for i := range text {
		if n == 0 {
			return strings.TrimRight(text[:i], " ")
		}
		n--
	}
	return text
}

func messages(rows []messageRow) ([]agenttools.Message, error) {
	all := make([]agenttools.Message, len(rows))
	for i, r := range rows {
		var err error
		if all[i], err = r.message(); err != nil {
			return nil, err
		}
	}
	return all, nil
}
