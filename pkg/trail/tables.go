package trail

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/taskflow-suite/taskflow/pkg/postgres"
	contract "github.com/taskflow-suite/taskflow/proto"
)

// Span is the time in which a change is looked for.
type Span struct{ From, To time.Time }

// statementLimit bounds one look into a table.
const statementLimit = 30 * time.Second

// Tables reads the steps of a correlation id from the database. Events have no index of correlation ids, because every
// change would pay for it; their ids tell the time (UUIDv7), so that a span of time is what a look costs. errs.Unavailable
// if the database does not answer.
func Tables(ctx context.Context, db *postgres.DB, correlationID string, within Span) ([]Step, error) {
	var steps []Step
	// One moment of the database, so that no event is both on its way and gone.
	err := db.Snapshot(ctx, func(tx *postgres.Tx) error {
		ctx, cancel := context.WithTimeout(ctx, statementLimit)
		defer cancel()
		r := reader{tx.Under(ctx), correlationID, within}
		events, err := r.events()
		if err != nil {
			return err
		}
		steps = events
		for _, read := range []func([]Step) ([]Step, error){r.waiting, r.handled, r.tools, r.deadLetters} {
			more, err := read(events)
			if err != nil {
				return err
			}
			steps = append(steps, more...)
		}
		return nil
	})
	return steps, err
}

type reader struct {
	*postgres.Tx
	id     string
	within Span
}

// more is one more than is shown, to see that there is more.
const more = MaxSteps + 1

func (r reader) events() ([]Step, error) {
	var rows []struct {
		ID, UserID, Topic, Type, AggregateID, CausationID, Traceparent string
		Version                                                        int
		Sequence                                                       int64
		OccurredAt                                                     time.Time
	}
	err := r.Table("events").
		Select("id, user_id, topic, type, aggregate_id, causation_id, traceparent, version, sequence, occurred_at").
		Where("id >= ? AND id < ? AND correlation_id = ?", first(r.within.From), first(r.within.To), r.id).
		Order("id").Limit(more).Scan(&rows).Error
	steps := make([]Step, 0, len(rows))
	for _, row := range rows {
		detail := map[string]any{"topic": row.Topic, "aggregate_id": row.AggregateID, "version": row.Version, "sequence": row.Sequence}
		put(detail, "causation_id", row.CausationID)
		put(detail, traceID, traceOf(row.Traceparent))
		steps = append(steps, Step{
			At: row.OccurredAt.UTC(), Source: Event, What: row.Type, UserID: row.UserID, EventID: row.ID, Detail: detail,
		})
	}
	return steps, err
}

// waiting are the events that have not been published yet, or are to be once more.
func (r reader) waiting(events []Step) ([]Step, error) {
	var steps []Step
	for part := range slices.Chunk(events, portion) {
		users, ids, types := index(part)
		var rows []struct {
			EventID   string
			CreatedAt time.Time
		}
		err := r.Table("outbox").Select("event_id, created_at").
			// The shard is in the index; see the migration.
			Where("shard IN (SELECT (hashtext(u) & 15)::smallint FROM unnest(?::text[]) u) AND event_id = ANY (?::uuid[])", array(users), array(ids)).
			Limit(more).Scan(&rows).Error
		if err != nil {
			return nil, err
		}
		for _, row := range rows {
			steps = append(steps, Step{
				At: row.CreatedAt.UTC(), Source: Outbox, What: types[row.EventID], EventID: row.EventID,
				Detail: map[string]any{"status": "not published yet"},
			})
		}
	}
	return steps, nil
}

// handled is who has acted on the events. The inbox keeps its rows for some days.
func (r reader) handled(events []Step) ([]Step, error) {
	var steps []Step
	for part := range slices.Chunk(events, portion) {
		_, ids, types := index(part)
		var rows []postgres.Handled
		err := r.Where("consumer IN ? AND event_id = ANY (?::uuid[])", consumers(), array(ids)).Limit(more).Find(&rows).Error
		if err != nil {
			return nil, err
		}
		for _, row := range rows {
			steps = append(steps, Step{
				At: row.HandledAt.UTC(), Source: Handled, Who: row.Consumer, What: types[row.EventID], EventID: row.EventID,
				Detail: map[string]any{"status": "handled"},
			})
		}
	}
	return steps, nil
}

// tools are calls of tools. What they were asked and what they answered is the user's, and not read.
func (r reader) tools([]Step) ([]Step, error) {
	var rows []struct {
		ID, UserID, ClientID, RequestID, Tool string
		Outcome, RunID                        *string
		StartedAt                             time.Time
		DurationMs                            *int
	}
	err := r.Table("tool_invocations").Select("id, user_id, client_id, request_id, tool, outcome, run_id, started_at, duration_ms").
		Where("started_at >= ? AND started_at < ? AND correlation_id = ?", r.within.From, r.within.To, r.id).
		Order("started_at, id").Limit(more).Scan(&rows).Error
	steps := make([]Step, 0, len(rows))
	for _, row := range rows {
		detail := map[string]any{"invocation_id": row.ID, "request_id": row.RequestID}
		if row.Outcome != nil {
			detail["status"] = *row.Outcome
		}
		if row.DurationMs != nil {
			detail["duration_ms"] = *row.DurationMs
		}
		if row.RunID != nil {
			detail["run_id"] = *row.RunID
		}
		steps = append(steps, Step{
			At: row.StartedAt.UTC(), Source: Tool, Who: row.ClientID, What: row.Tool, UserID: row.UserID, Detail: detail,
		})
	}
	return steps, err
}

// deadLetters are what consumers could not handle: when it first failed and, if it died, when that was.
func (r reader) deadLetters([]Step) ([]Step, error) {
	var rows []struct {
		Consumer, Topic, ID, UserID, EventType, Reason, Kind string
		EventID                                              *string
		Attempts                                             int
		FirstSeen, LastSeen                                  time.Time
		DiedAt, RetriedAt, HandledAt, DiscardedAt            *time.Time
	}
	err := r.Table("dead_letters").
		Select("consumer, topic, id, user_id, event_type, reason, kind, event_id, attempts, first_seen, last_seen, died_at, retried_at, handled_at, discarded_at").
		Where("correlation_id = ?", r.id).Order("first_seen, id").Limit(more).Scan(&rows).Error
	var steps []Step
	for _, row := range rows {
		event := ""
		if row.EventID != nil {
			event = *row.EventID
		}
		at := func(when time.Time, status string, detail map[string]any) {
			detail["status"], detail["topic"], detail["dead_letter"] = status, row.Topic, row.ID
			steps = append(steps, Step{
				At: when.UTC(), Source: DeadLetter, Who: row.Consumer, What: row.EventType, UserID: row.UserID, EventID: event, Detail: detail,
			})
		}
		at(row.FirstSeen, "failed", map[string]any{"reason": row.Reason, "kind": row.Kind, "attempts": row.Attempts})
		for _, later := range []struct {
			when   *time.Time
			status string
		}{{row.DiedAt, "dead"}, {row.RetriedAt, "sent again"}, {row.HandledAt, "handled after all"}, {row.DiscardedAt, "discarded"}} {
			if later.when != nil {
				at(*later.when, later.status, map[string]any{})
			}
		}
	}
	return steps, err
}

// CorrelationOf is the correlation id of an event, empty if there is no event of that id or it has none.
func CorrelationOf(ctx context.Context, db *postgres.DB, eventID string) (string, error) {
	if !postgres.IsUUID(eventID) {
		return "", nil
	}
	var ids []string
	err := db.Read(ctx).Table("events").Where("id = ?", eventID).Limit(1).Pluck("correlation_id", &ids).Error
	if err != nil || len(ids) == 0 {
		return "", postgres.Failure(err)
	}
	return ids[0], nil
}

// portion is how many events are looked up at once.
const portion = 500

func index(events []Step) (users, ids []string, types map[string]string) {
	types = map[string]string{}
	for _, e := range events {
		users = with(users, e.UserID)
		ids = append(ids, e.EventID)
		types[e.EventID] = e.What
	}
	return users, ids, types
}

// array is a list as Postgres reads one.
func array(list []string) string {
	quoted := make([]string, len(list))
	for i, s := range list {
		quoted[i] = `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
	}
	return "{" + strings.Join(quoted, ",") + "}"
}

// consumers are all who note what they have handled.
func consumers() []string {
	var all []string
	for _, t := range contract.AllTopics() {
		for _, c := range t.Subscribers {
			all = with(all, c)
		}
	}
	return all
}

// first is the smallest UUIDv7 of a moment.
func first(at time.Time) string {
	var id uuid.UUID
	ms := uint64(max(at.UnixMilli(), 0)) //nolint:gosec // G115: not negative
	for i := range 6 {
		id[i] = byte(ms >> (40 - 8*i))
	}
	return id.String()
}

// traceOf is the trace's id in a W3C traceparent, empty if it is none.
func traceOf(traceparent string) string {
	parts := strings.Split(traceparent, "-")
	if len(parts) < 4 || len(parts[1]) != 32 {
		return ""
	}
	return parts[1]
}

func put(detail map[string]any, name, value string) {
	if value != "" {
		detail[name] = value
	}
}
