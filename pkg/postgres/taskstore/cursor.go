package taskstore

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/task"
)

// cursor points behind one task of a list. It holds nothing that its holder may not know, and the list is the user's own
// whatever it says, so it is checked but not signed.
type cursor struct {
	// Of is the fingerprint of the query.
	Of string `json:"q"`
	// Key is the task's value of what the list is sorted by; nil if it has none.
	Key *string `json:"k,omitempty"`
	ID  string  `json:"i"`

	key any // Key, parsed
}

// maxCursor is longer than any cursor: a title of 200 characters, escaped, in base64.
const maxCursor = 4096

func cursorOf(r row, by order) cursor {
	c := cursor{ID: r.ID}
	if key, ok := by.key(r); ok {
		c.Key = &key
	}
	return c
}

func (c cursor) encode(of string) string {
	c.Of = of
	raw, _ := json.Marshal(c) // strings only
	return base64.RawURLEncoding.EncodeToString(raw)
}

// parseCursor is errs.Invalid for what encode did not make of the same query.
func parseCursor(text, of string, by order) (cursor, error) {
	wrong := errs.InvalidFields(errs.Field{Field: "cursor", Message: "must come from the previous page of the same list"})
	if len(text) > maxCursor {
		return cursor{}, wrong
	}
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return cursor{}, wrong
	}
	var c cursor
	if err := json.Unmarshal(raw, &c); err != nil || c.Of != of || !isID(c.ID) {
		return cursor{}, wrong
	}
	if c.Key == nil {
		if by.by != orders[task.ByDue].by {
			return cursor{}, wrong
		}
		return c, nil
	}
	if c.key, err = by.parse(*c.Key); err != nil {
		return cursor{}, wrong
	}
	return c, nil
}

// fingerprint identifies a query by everything that decides which tasks it lists in which order. The time of OverdueAt is
// left out: it is the time of asking, and differs from page to page.
func fingerprint(userID string, q task.Query) string {
	completed := "any"
	if q.Completed != nil {
		completed = strconv.FormatBool(*q.Completed)
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %t %s %q %q %q %d %d %t %q %s %t", userID, q.Deleted, completed, q.Priority, q.Tag, q.SeriesID,
		q.DueBefore.UnixMilli(), q.DueAfter.UnixMilli(), !q.OverdueAt.IsZero(), q.Text, q.Order, q.Descending))
	return hex.EncodeToString(sum[:6])
}
