package taskstore

import (
	"context"
	"slices"
	"strconv"
	"time"

	"gorm.io/gorm"

	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/postgres"
	"github.com/taskflow-suite/taskflow/pkg/task"
)

// order is one way to sort: an index of (user_id, trashed, by, id) serves it in both directions.
type order struct {
	by string // the expression, as in the index
	// bind is by's right-hand side in a comparison with a cursor's key.
	bind string
	// key is the task's value of by as a cursor holds it, parse the way back for a query. A row without a value of by has
	// no key: see Store.List.
	key   func(row) (string, bool)
	parse func(string) (any, error)
}

var orders = map[task.Order]order{
	task.ByCreated:  {"created_at", "?", func(r row) (string, bool) { return timeKey(&r.CreatedAt) }, parseTime},
	task.ByUpdated:  {"updated_at", "?", func(r row) (string, bool) { return timeKey(&r.UpdatedAt) }, parseTime},
	task.ByDue:      {"deadline", "?", func(r row) (string, bool) { return timeKey(r.Deadline) }, parseTime},
	task.ByPriority: {"priority", "?", func(r row) (string, bool) { return strconv.Itoa(int(r.Priority)), true }, parseNumber},
	task.ByTitle:    {"lower(title)", "lower(?)", func(r row) (string, bool) { return r.Title, true }, parseText},
}

func timeKey(t *time.Time) (string, bool) {
	if t == nil {
		return "", false
	}
	return t.UTC().Format(time.RFC3339Nano), true
}

func parseTime(s string) (any, error)   { return time.Parse(time.RFC3339Nano, s) }
func parseNumber(s string) (any, error) { return strconv.ParseInt(s, 10, 16) }
func parseText(s string) (any, error) {
	if !isText(s) {
		return nil, errs.New(errs.Invalid, "not text")
	}
	return s, nil
}

// List implements task.Store.
//
// Only the deadline can be missing. Such tasks come last in both directions, which no single index scan gives, so a list
// by deadline is two: first those that have one, then the others.
func (s *Store) List(ctx context.Context, userID string, q task.Query) (task.Page, error) {
	if q.Order == "" {
		q.Order = task.ByCreated
	}
	by, ok := orders[q.Order]
	if !ok {
		return task.Page{}, errs.InvalidFields(errs.Field{Field: "sort", Message: "is no order there is"})
	}
	if q.Limit < 1 || q.Limit > task.MaxPage {
		return task.Page{}, errs.InvalidFields(errs.Field{Field: "limit", Message: "must be 1 to 200"})
	}
	if !isText(q.Text) || !isText(q.Tag) {
		return task.Page{}, errs.InvalidFields(errs.Field{Field: "q", Message: "must be UTF-8 text"})
	}
	if q.SeriesID != "" && !isID(q.SeriesID) {
		return task.Page{}, errs.InvalidFields(errs.Field{Field: "series_id", Message: "must be a series' id"})
	}
	of := fingerprint(userID, q)
	var after *cursor
	if q.After != "" {
		c, err := parseCursor(q.After, of, by)
		if err != nil {
			return task.Page{}, err
		}
		after = &c
	}

	var (
		page task.Page
		last row
		more bool
	)
	page.Tasks = make([]task.Task, 0, min(q.Limit, 64))
	take := func(r *row) {
		if len(page.Tasks) == q.Limit {
			more = true
			return
		}
		page.Tasks = append(page.Tasks, r.task())
		last = *r
	}
	if after == nil || after.key != nil {
		query := s.selection(ctx, userID, q)
		if q.Order == task.ByDue {
			query = query.Where("deadline IS NOT NULL")
		}
		if after != nil {
			query = query.Where("("+by.by+", id) "+beyond(q)+" ("+by.bind+", ?)", after.key, after.ID)
		}
		// One more tells whether there is a next page.
		if err := each(sorted(query, by, q).Limit(q.Limit+1), take); err != nil {
			return task.Page{}, err
		}
	}
	if q.Order == task.ByDue && !more && q.DueBefore.IsZero() && q.DueAfter.IsZero() && q.OverdueAt.IsZero() {
		query := s.selection(ctx, userID, q).Where("deadline IS NULL")
		if after != nil && after.key == nil {
			query = query.Where("id "+beyond(q)+" ?", after.ID)
		}
		if err := each(sorted(query, by, q).Limit(q.Limit+1-len(page.Tasks)), take); err != nil {
			return task.Page{}, err
		}
	}
	if more {
		page.Next = cursorOf(last, by).encode(of)
	}
	return page, nil
}

func beyond(q task.Query) string {
	if q.Descending {
		return "<"
	}
	return ">"
}

func sorted(query *gorm.DB, by order, q task.Query) *gorm.DB {
	if q.Descending {
		return query.Order(by.by + " DESC, id DESC")
	}
	return query.Order(by.by + ", id")
}

// selection is what the query restricts, but for the cursor.
func (s *Store) selection(ctx context.Context, userID string, q task.Query) *gorm.DB {
	query := s.db.Read(ctx).Where("user_id = ? AND trashed = ?", userID, q.Deleted)
	if q.Completed != nil {
		if *q.Completed {
			query = query.Where("completed_at IS NOT NULL")
		} else {
			query = query.Where("completed_at IS NULL AND skipped_at IS NULL")
		}
	}
	if len(q.Priority) > 0 {
		ranks := make(postgres.Ints, len(q.Priority))
		for i, p := range q.Priority {
			ranks[i] = p.Rank()
		}
		slices.Sort(ranks)
		query = query.Where("priority = ANY(?::smallint[])", ranks)
	}
	if q.SeriesID != "" {
		query = query.Where("series_id = ?", q.SeriesID)
	}
	if q.Tag != "" {
		query = query.Where("tags @> ?::text[]", postgres.Texts{q.Tag})
	}
	if !q.DueBefore.IsZero() {
		query = query.Where("deadline < ?", q.DueBefore)
	}
	if !q.DueAfter.IsZero() {
		query = query.Where("deadline >= ?", q.DueAfter)
	}
	if !q.OverdueAt.IsZero() {
		query = query.Where("completed_at IS NULL AND skipped_at IS NULL AND deadline < ?", q.OverdueAt)
	}
	if q.Text != "" {
		query = query.Where("search @@ plainto_tsquery('simple', ?)", q.Text)
	}
	return query
}
