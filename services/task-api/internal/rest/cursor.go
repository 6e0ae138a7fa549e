package rest

import (
	"encoding/base64"
	"strconv"
	"strings"

	"github.com/taskflow-suite/taskflow/pkg/errs"
)

// trailCursor points behind an event of the audit trail. It names the trail, so that a cursor of another one is noticed.
type trailCursor struct {
	topic, taskID string
	sequence      int64
}

const trailVersion = "e1"

func (c trailCursor) String() string {
	return base64.RawURLEncoding.EncodeToString([]byte(
		strings.Join([]string{trailVersion, c.topic, c.taskID, strconv.FormatInt(c.sequence, 10)}, "|")))
}

// parseTrailCursor reads a cursor of the given trail. errs.Invalid if it is not one.
func parseTrailCursor(cursor, topic, taskID string) (int64, error) {
	invalid := errs.InvalidFields(errs.Field{Field: "cursor", Message: "must be the next_cursor of the page before, with the same topic and task_id"})
	raw, err := base64.RawURLEncoding.Strict().DecodeString(cursor)
	if err != nil {
		return 0, invalid
	}
	parts := strings.Split(string(raw), "|")
	if len(parts) != 4 || parts[0] != trailVersion || parts[1] != topic || parts[2] != taskID {
		return 0, invalid
	}
	sequence, err := strconv.ParseInt(parts[3], 10, 64)
	if err != nil || sequence < 0 || strconv.FormatInt(sequence, 10) != parts[3] {
		return 0, invalid
	}
	return sequence, nil
}
