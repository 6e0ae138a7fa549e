package taskstore

import (
	"context"
	"time"

	"github.com/taskflow-suite/taskflow/pkg/postgres"
	"github.com/taskflow-suite/taskflow/pkg/task"
)

// statDays is how many days Stats.CompletedPerDay shows.
const statDays = 30

// Stats implements task.Store, in one pass over the user's tasks. The days' bounds are computed here, because Postgres
// may know other zones than Go.
func (s *Store) Stats(ctx context.Context, userID string, now time.Time, zone *time.Location) (task.Stats, error) {
	local := now.In(zone)
	bounds := make(postgres.Times, statDays+1)
	for i := range bounds {
		bounds[i] = time.Date(local.Year(), local.Month(), local.Day()-statDays+1+i, 0, 0, 0, 0, zone)
	}
	today, tomorrow := bounds[statDays-1], bounds[statDays]
	var groups []struct {
		Trashed  bool
		Done     bool
		Skipped  bool
		Priority int16
		Overdue  bool
		Today    bool
		// Day is 1 for the first of the days, 0 before it, statDays+1 after the last; of a completed task only.
		Day   int
		Count int
	}
	err := s.db.Read(ctx).Model(&row{}).
		Select("trashed, completed_at IS NOT NULL AS done, skipped_at IS NOT NULL AS skipped, priority, "+
			"COALESCE(deadline < ?, false) AS overdue, "+
			"COALESCE(due_date = ?::date OR (due_at >= ? AND due_at < ?), false) AS today, "+
			"COALESCE(width_bucket(completed_at, ?::timestamptz[]), 0) AS day, "+
			"count(*) AS count",
			now, local.Format(time.DateOnly), today, tomorrow, bounds).
		Where("user_id = ?", userID).
		Group("1, 2, 3, 4, 5, 6, 7").
		Scan(&groups).Error
	if err != nil {
		return task.Stats{}, postgres.Failure(err)
	}
	stats := task.Stats{ByPriority: map[task.Priority]int{}}
	for _, p := range task.Priorities() {
		stats.ByPriority[p] = 0
	}
	for _, day := range bounds[:statDays] {
		stats.CompletedPerDay = append(stats.CompletedPerDay, task.DayCount{Day: day.In(zone).Format(time.DateOnly)})
	}
	for _, g := range groups {
		switch {
		case g.Trashed:
			stats.Deleted += g.Count
		case g.Skipped: // neither open nor done
		case g.Done:
			stats.Completed += g.Count
			if g.Day >= 1 && g.Day <= statDays {
				stats.CompletedPerDay[g.Day-1].Count += g.Count
			}
		default:
			stats.Open += g.Count
			stats.ByPriority[priorityOf(g.Priority)] += g.Count
			if g.Overdue {
				stats.Overdue += g.Count
			}
			if g.Today {
				stats.DueToday += g.Count
			}
		}
	}
	return stats, nil
}
