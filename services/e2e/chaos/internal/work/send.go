package work

import (
	"context"
	"slices"
	"time"

	"github.com/taskflow-suite/taskflow/services/e2e/chaos/internal/record"
)

// shown is a task as REST shows it.
type shown struct {
	ID         string     `json:"id"`
	Title      string     `json:"title"`
	Version    int        `json:"version"`
	Completed  bool       `json:"completed"`
	DeletedAt  *time.Time `json:"deleted_at"`
	SeriesID   *string    `json:"series_id"`
	Occurrence *string    `json:"occurrence"`
	DueDate    *string    `json:"due_date"`
}

func (s shown) seen() record.Seen { return record.Seen{ID: s.ID, Version: s.Version, Title: s.Title} }

// outcome is what came of a try: the answer, and the tasks it showed as far as the worker wants to know.
type outcome struct {
	record.Answer
	shown []shown
}

// failed is an outcome without an answer.
func failed(err error) outcome {
	text := err.Error()
	return outcome{Answer: record.Answer{Error: text[:min(len(text), 300)]}}
}

// givesUp is how many of a hundred requests are not sent again.
const givesUp = 10

// send sends a request until its outcome is known, or the worker gives up.
func (w *worker) send(ctx context.Context, r record.Request, try func(context.Context) outcome) outcome {
	r.ID, r.User = w.crowd.ids.Add(1), w.user()
	once := w.chance.IntN(100) < givesUp
	log, counts := w.crowd.o.Record, &w.crowd.counts
	for pause := 100 * time.Millisecond; ; pause = min(2*pause, 2*time.Second) {
		r.Try++
		log.Add(record.Line{Request: &r})
		o := try(ctx)
		o.ID, o.Try, o.User = r.ID, r.Try, r.User
		log.Add(record.Line{Answer: &o.Answer})
		unknown := len(o.Told) == 0 || slices.ContainsFunc(o.Told, record.Told.Unknown)
		for _, t := range o.Told {
			switch {
			case t.Done():
				counts.done.Add(1)
			case !t.Unknown():
				counts.refused.Add(1)
			}
		}
		if !unknown {
			return o
		}
		if once || !sleep(ctx, pause) {
			counts.unknown.Add(1)
			return o
		}
		counts.again.Add(1)
	}
}

// sleep reports whether the time passed before ctx ended.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
