package taskstore

import (
	"testing"
	"time"

	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/task"
)

// FuzzCursor checks that whatever comes as a cursor is refused as invalid or is one that could have been given out.
func FuzzCursor(f *testing.F) {
	const of = "0123456789ab"
	due := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	for _, r := range []row{
		{ID: "0192f0a0-0000-7000-8000-000000000001", Title: "Buy \"milk\"", Priority: 3, Deadline: &due, CreatedAt: due, UpdatedAt: due},
		{ID: "0192f0a0-0000-7000-8000-000000000002"},
	} {
		for _, by := range orders {
			f.Add(cursorOf(r, by).encode(of))
		}
	}
	f.Add("e30")
	f.Fuzz(func(t *testing.T, text string) {
		for name, by := range orders {
			c, err := parseCursor(text, of, by)
			if err != nil {
				if !errs.Is(err, errs.Invalid) {
					t.Errorf("%q by %s: %v", text, name, err)
				}
				continue
			}
			if !isID(c.ID) || c.key == nil && name != task.ByDue {
				t.Errorf("%q by %s is taken for %+v", text, name, c)
			}
			if again, err := parseCursor(c.encode(of), of, by); err != nil || again.ID != c.ID {
				t.Errorf("%q by %s does not come back: %v", text, name, err)
			}
		}
	})
}
