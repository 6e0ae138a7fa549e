package taskstore

import (
	"context"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/event"
	"github.com/taskflow-suite/taskflow/pkg/postgres"
	"github.com/taskflow-suite/taskflow/pkg/task"
)

var _ task.Agenda = (*Store)(nil)

// maxClaims is how much one transaction may claim: it holds sequences of as many users until its commit.
const maxClaims = 1000

// ClaimSeries implements task.Agenda. errs.Invalid for a limit that is not 1 to 1000.
func (s *Store) ClaimSeries(ctx context.Context, now time.Time, limit int) (int, error) {
	return claim(ctx, s, now, limit, []string{"id", "user_id", "next", "next_at", "claims"}, func(r seriesRow) (string, event.Draft) {
		return r.ID, task.RecurrenceDue(r.ID, r.UserID, r.Derived.progress(), r.Derived.Claims+1, now)
	})
}

// ClaimAlarms implements task.Agenda. errs.Invalid for a limit that is not 1 to 1000.
func (s *Store) ClaimAlarms(ctx context.Context, now time.Time, limit int) (int, error) {
	return claim(ctx, s, now, limit, []string{"id", "user_id", "task_id", "minutes", "due_at", "at", "claims"}, func(r alarmRow) (string, event.Draft) {
		return r.ID, task.ReminderDue(r.ID, r.UserID, r.TaskID, r.alarm(), r.Claims+1, now)
	})
}

// claim takes rows of one table, the columns that trigger needs: three statements, however many rows they are.
func claim[R any](ctx context.Context, s *Store, now time.Time, limit int, columns []string, trigger func(R) (id string, due event.Draft)) (int, error) {
	if err := s.mayLock(); err != nil {
		return 0, err
	}
	if limit < 1 || limit > maxClaims {
		return 0, errs.New(errs.Invalid, "1 to %d claims at a time", maxClaims)
	}
	claimed := 0
	err := s.db.Transaction(ctx, func(tx *postgres.Tx) error {
		var rows []R
		err := tx.Clauses(clause.Locking{Strength: toChange, Options: clause.LockingOptionsSkipLocked}).
			Select(columns).Where("claim_at <= ?", now).Order("claim_at").Limit(limit).Find(&rows).Error
		if err != nil || len(rows) == 0 {
			return err
		}
		ids, due := make(postgres.Texts, len(rows)), make([]event.Draft, len(rows))
		for i, r := range rows {
			ids[i], due[i] = trigger(r)
		}
		err = tx.Model(new(R)).Where("id = ANY(?::uuid[])", ids).
			UpdateColumns(map[string]any{"claim_at": now.Add(task.ClaimLease), "claims": gorm.Expr("claims + 1")}).Error
		if err != nil {
			return err
		}
		claimed = len(rows)
		return tx.Append(due...)
	})
	if err != nil {
		return 0, err
	}
	return claimed, nil
}

// NextDue implements task.Agenda.
func (s *Store) NextDue(ctx context.Context) (time.Time, error) {
	var first time.Time
	for _, table := range []any{&seriesRow{}, &alarmRow{}} {
		var at []time.Time
		err := s.db.Read(ctx).Model(table).Where("claim_at IS NOT NULL").Order("claim_at").Limit(1).Pluck("claim_at", &at).Error
		if err != nil {
			return time.Time{}, postgres.Failure(err)
		}
		if len(at) > 0 && (first.IsZero() || at[0].Before(first)) {
			first = at[0].UTC()
		}
	}
	return first, nil
}

// Backlog implements task.Agenda. What is due is found by when it can be claimed: that is no later than a lease from now.
func (s *Store) Backlog(ctx context.Context, now time.Time) (task.Backlog, error) {
	count := func(table any, at string) (int, time.Time, error) {
		due := s.db.Read(ctx).Model(table).Select(at+" AS at").
			Where("claim_at <= ? AND "+at+" <= ?", now.Add(task.ClaimLease), now).
			Order("claim_at").Limit(task.MaxBacklog)
		var found struct {
			Count  int
			Oldest *time.Time
		}
		err := s.db.Read(ctx).Table("(?) AS due", due).Select("count(*) AS count, min(at) AS oldest").Scan(&found).Error
		return found.Count, orZero(found.Oldest), postgres.Failure(err)
	}
	var (
		b    task.Backlog
		also time.Time
		err  error
	)
	if b.Series, b.Oldest, err = count(&seriesRow{}, "next_at"); err != nil {
		return task.Backlog{}, err
	}
	if b.Alarms, also, err = count(&alarmRow{}, "at"); err != nil {
		return task.Backlog{}, err
	}
	if b.Oldest.IsZero() || !also.IsZero() && also.Before(b.Oldest) {
		b.Oldest = also
	}
	return b, nil
}

// Claimed counts, up to limit of each, the series and the alarms whose claim lasts and has led to nothing yet: who claims more
// than is acted on within task.ClaimLease only makes the same claims again.
func (s *Store) Claimed(ctx context.Context, now time.Time, limit int) (int, error) {
	sum := 0
	for _, t := range []struct {
		table any
		at    string
	}{{&seriesRow{}, "next_at"}, {&alarmRow{}, "at"}} {
		var n int64
		claimed := s.db.Read(ctx).Model(t.table).Select("1").
			Where("claim_at > ? AND claim_at <= ? AND "+t.at+" <= ?", now, now.Add(task.ClaimLease), now).Limit(limit)
		if err := s.db.Read(ctx).Table("(?) AS claimed", claimed).Count(&n).Error; err != nil {
			return 0, postgres.Failure(err)
		}
		sum += int(n)
	}
	return sum, nil
}
