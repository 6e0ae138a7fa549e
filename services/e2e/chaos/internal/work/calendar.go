package work

import (
	"context"
	"time"

	"github.com/taskflow-suite/taskflow/services/e2e/chaos/internal/record"
)

// day is from one occurrence to the next.
const day = 24 * time.Hour

// mostSeries is how many series one worker begins: each is looked at again and again.
const mostSeries = 12

// keepsCalendar is somebody with tasks that repeat, whose next occurrence is a few seconds away and made by the clock or by
// completing the one before, whichever comes first, and with reminders of a few seconds.
func (w *worker) keepsCalendar(ctx context.Context) {
	var series []string
	for w.pause(ctx, 500*time.Millisecond, 2*time.Second) {
		soon := time.Now().UTC().Truncate(time.Millisecond).Add(time.Duration(2000+w.chance.IntN(6000)) * time.Millisecond)
		switch n := w.chance.IntN(10); {
		case n < 3:
			item := record.Item{Verb: record.Create, Title: w.title("bell"), Rings: []time.Time{soon}}
			if w.chance.IntN(2) == 0 {
				item.Rings = append(item.Rings, soon.Add(3*time.Second))
			}
			w.change(ctx, item)
		case n < 6 && len(series) < mostSeries:
			made := w.change(ctx, record.Item{Verb: record.Create, Title: w.title("daily"), Due: soon.Add(-day), Daily: true})
			for _, s := range made {
				if s.SeriesID != nil {
					series = append(series, *s.SeriesID)
				}
			}
		case len(series) > 0:
			w.completesNewest(ctx, series[w.chance.IntN(len(series))])
		}
	}
}

// completesNewest completes the newest occurrence of a series, if it is open.
func (w *worker) completesNewest(ctx context.Context, series string) {
	all := w.read(ctx, "/tasks?limit=200&series_id="+series, record.Item{Verb: record.List})
	var newest *shown
	for i, s := range all {
		if s.Occurrence != nil && (newest == nil || *s.Occurrence > *newest.Occurrence) {
			newest = &all[i]
		}
	}
	if newest == nil || newest.Completed || newest.DeletedAt != nil {
		return
	}
	w.change(ctx, record.Item{Verb: record.Complete, Task: newest.ID, Base: newest.Version})
}
