package conversation

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"strings"
	"time"

	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/postgres"
	"github.com/taskflow-suite/taskflow/services/internal/agenttools"
)

// Bounds of a search.
const (
	MaxQuery     = 200 // characters
	MaxFound     = 50
	DefaultFound = 10
	// maxSnippet is how many characters of a message are shown: all, or some around the words.
	maxSnippet = 240
)

// headline is how Postgres cuts a snippet: no marks around the words that were searched.
const headline = `StartSel="", StopSel="", MaxFragments=1, MaxWords=30, MinWords=10`

// Search is search_conversations without TimeZone; times in UTC. The conversation used last comes first. errs.Invalid
// names what is wrong with the input, as a cursor that no page of the same query gave.
//
// question, if not empty, is the message that asks for the search: it has the words, and is not what is looked for.
func (b *Book) Search(ctx context.Context, userID, question string, in agenttools.SearchConversationsInput) (agenttools.FoundConversations, error) {
	words := strings.TrimSpace(in.Query)
	var c checker
	c.short(words, MaxQuery, "query")
	if in.Limit == 0 {
		in.Limit = DefaultFound
	}
	c.must(in.Limit >= 1 && in.Limit <= MaxFound, "limit", "must be 1 to %d", MaxFound)
	after, ok := parseCursor(in.Cursor, words)
	c.must(ok, "cursor", "must come from the previous page of the same search")
	if err := errs.InvalidFields(c.wrong...); err != nil {
		return agenttools.FoundConversations{}, err
	}

	tx := b.tx.WithContext(ctx)
	query := tx.Table("conversations AS c").Where("c.user_id = ?", userID)
	columns := "c.id, c.title, c.messages, c.started_at, c.updated_at"
	if words == "" {
		query = query.Select(columns + ", '' AS snippet, '' AS message_id")
	} else {
		newest := tx.Model(&messageRow{}).Select("DISTINCT ON (conversation_id) conversation_id, id").
			Where("user_id = ? AND search @@ plainto_tsquery('simple', ?)", userID, words).
			Where("? = '' OR id::text <> ?", question, question).
			Order("conversation_id, position DESC")
		query = query.Joins("JOIN (?) AS hit ON hit.conversation_id = c.id", newest).
			Joins("JOIN messages AS m ON m.user_id = c.user_id AND m.id = hit.id").
			Select(columns+", CASE WHEN char_length(m.text) <= ? THEN m.text ELSE ts_headline('simple', m.text, plainto_tsquery('simple', ?), ?) END AS snippet, "+
				"m.id::text AS message_id", maxSnippet, words, headline)
	}
	if after != nil {
		query = query.Where("(c.updated_at, c.id) < (?, ?::uuid)", after.UpdatedAt, after.ID)
	}
	var rows []foundRow
	// One more tells whether there is a next page.
	if err := query.Order("c.updated_at DESC, c.id DESC").Limit(in.Limit + 1).Scan(&rows).Error; err != nil {
		return agenttools.FoundConversations{}, postgres.Failure(err)
	}
	found := agenttools.FoundConversations{Conversations: make([]agenttools.Conversation, 0, len(rows))}
	if len(rows) > in.Limit {
		rows = rows[:in.Limit]
		last := rows[len(rows)-1]
		found.NextCursor = cursor{fingerprint(words), last.UpdatedAt.UTC(), last.ID}.encode()
	}
	for _, r := range rows {
		found.Conversations = append(found.Conversations, agenttools.Conversation{
			ID: r.ID, Title: r.Title, Messages: r.Messages, StartedAt: stamp(r.StartedAt), UpdatedAt: stamp(r.UpdatedAt),
			Snippet: firstRunes(strings.Join(strings.Fields(r.Snippet), " "), maxSnippet), MessageID: r.MessageID,
		})
	}
	return found, nil
}

// foundRow is a conversation with the newest of its messages that has the words.
type foundRow struct {
	ID        string
	Title     string
	Messages  int
	StartedAt time.Time
	UpdatedAt time.Time
	Snippet   string
	MessageID string
}

// cursor points behind one conversation of a search. It holds nothing that its holder may not know, and what is found is
// the user's own whatever it says, so it is checked but not signed.
type cursor struct {
	// Of is the fingerprint of the words.
	Of        string    `json:"q"`
	UpdatedAt time.Time `json:"t"`
	ID        string    `json:"i"`
}

func (c cursor) encode() string {
	raw, _ := json.Marshal(c) // strings and a time of this era
	return base64.RawURLEncoding.EncodeToString(raw)
}

// maxCursor is longer than any cursor.
const maxCursor = 512

// parseCursor is nil for the first page; ok is false for what encode did not make of the same words.
func parseCursor(text, words string) (c *cursor, ok bool) {
	if text == "" {
		return nil, true
	}
	if len(text) > maxCursor {
		return nil, false
	}
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return nil, false
	}
	c = &cursor{}
	if err := json.Unmarshal(raw, c); err != nil || c.Of != fingerprint(words) || !postgres.IsUUID(c.ID) {
		return nil, false
	}
	return c, true
}

func fingerprint(words string) string {
	sum := sha256.Sum256([]byte(words))
	return hex.EncodeToString(sum[:6])
}
