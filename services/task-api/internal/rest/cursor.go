package rest

import (
	"encoding/base64"
	"strconv"
	"strings"

	"github.com/taskflow-suite/taskflow/pkg/errs"
)

// trailCursor points behind an event of the audit trail. It names the trail and its direction, so that a cursor of another one
// is noticed.
type trailCursor struct {
	topic, taskID string
	newest        bool
	sequence      int64
}

// The versions of a cursor, one per direction.
const (
	trailOldest = "e1"
	trailNewest = "n1"
)

func (c trailCursor) version() string {
	if c.newest {
		return trailNewest
	}
	return trailOldest
}

func (c trailCursor) String() string {
	return base64.RawURLEncoding.EncodeToString([]byte(
		strings.Join([]string{c.version(), c.topic, c.taskID, strconv.FormatInt(c.sequence, 10)}, "|")))
}

// at is the trail from where a cursor of it points on. errs.Invalid if it is not one.
func (c trailCursor) at(cursor string) (trailCursor, error) {
	invalid := errs.InvalidFields(errs.Field{Field: "cursor", Message: "must be the next_cursor of the page before, with the same topic, task_id and order"})
	raw, err := base64.RawURLEncoding.Strict().DecodeString(cursor)
	if err != nil {
		return c, invalid
	}
	parts := strings.Split(string(raw), "|")
	if len(parts) != 4 || parts[0] != c.version() || parts[1] != c.topic || parts[2] != c.taskID {
		return c, invalid
	}
	c.sequence, err = strconv.ParseInt(parts[3], 10, 64)
	// Only what String writes: the decoder passes over line ends, and ParseInt takes a sign.
	if err != nil || c.sequence < 0 || c.newest && c.sequence == 0 || c.String() != cursor {
		return c, invalid
	}
	return c, nil
}
