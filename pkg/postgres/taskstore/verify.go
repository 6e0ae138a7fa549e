package taskstore

import (
	"context"
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"google.golang.org/protobuf/proto"
	"gorm.io/gorm/clause"

	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/event"
	"github.com/taskflow-suite/taskflow/pkg/postgres"
	"github.com/taskflow-suite/taskflow/pkg/task"
	contract "github.com/taskflow-suite/taskflow/proto"
)

// Verification is what comparing the log with the tables found.
type Verification struct {
	Tasks, Series, Events int
	// Differences names what differs, one line each, 1000 at most.
	Differences []string
}

const maxDifferences = 1000

// Verify rebuilds profiles, tasks and series from the event log alone, in a scratch schema beside the one the URL leads to,
// and compares tasks and series with the tables, row by row and column by column. How far a series has come is no part of
// the log, and is not compared. The scratch schema is gone afterwards. It reads while others write: what is changed
// meanwhile is looked at a second time before it is called a difference.
func Verify(ctx context.Context, url string) (Verification, error) {
	table, err := postgres.Open(ctx, postgres.At(url))
	if err != nil {
		return Verification{}, err
	}
	defer table.Close()
	scratch, drop, err := openScratch(ctx, url)
	if err != nil {
		return Verification{}, err
	}
	defer drop()
	v := &verifier{log: postgres.NewLog(table), table: table, scratch: scratch}
	if err := v.rebuild(ctx); err != nil {
		return Verification{}, err
	}
	if err := compare(ctx, v, theTasks); err != nil {
		return Verification{}, err
	}
	if err := compare(ctx, v, theSeries); err != nil {
		return Verification{}, err
	}
	return v.Verification, nil
}

// openScratch makes an empty, migrated schema; drop closes and removes it.
func openScratch(ctx context.Context, url string) (*postgres.DB, func(), error) {
	schema := fmt.Sprintf("rebuild_%d", time.Now().UnixNano())
	if err := schemaDo(ctx, url, "CREATE SCHEMA "+schema); err != nil {
		return nil, nil, err
	}
	remove := func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
		defer cancel()
		_ = schemaDo(ctx, url, "DROP SCHEMA IF EXISTS "+schema+" CASCADE")
	}
	inside, err := postgres.InSchema(url, schema)
	if err == nil {
		_, err = postgres.Migrate(ctx, inside)
	}
	if err != nil {
		remove()
		return nil, nil, err
	}
	db, err := postgres.Open(ctx, postgres.At(inside))
	if err != nil {
		remove()
		return nil, nil, err
	}
	return db, func() { _ = db.Close(); remove() }, nil
}

// schemaDo runs one statement about a schema: DDL, for which an ORM has no words.
func schemaDo(ctx context.Context, url, statement string) error {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return errs.Because(err, errs.Unavailable, "the database does not answer")
	}
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, statement)
	return err
}

type verifier struct {
	Verification
	log            *postgres.Log
	table, scratch *postgres.DB
}

func (v *verifier) differ(format string, args ...any) {
	if len(v.Differences) < maxDifferences {
		v.Differences = append(v.Differences, fmt.Sprintf(format, args...))
	}
}

// rebuild fills the scratch schema from the log.
func (v *verifier) rebuild(ctx context.Context) error {
	zones := map[string]*time.Location{}
	err := v.log.EachAggregate(ctx, contract.Users, func(events []postgres.Stored) error {
		v.Events += len(events)
		p, err := fold(events, task.ReplayProfile)
		if err != nil {
			v.differ("%s", errs.Text(err))
			return nil
		}
		if p == nil {
			return nil
		}
		if zones[p.UserID], err = task.Zone(p.TimeZone); err != nil {
			v.differ("user %s: %s", p.UserID, errs.Text(err))
			return nil
		}
		r := profileRowOf(*p)
		return postgres.Failure(v.scratch.Read(ctx).Create(&r).Error)
	})
	if err != nil {
		return err
	}
	return v.log.EachAggregate(ctx, contract.Tasks, func(events []postgres.Stored) error {
		v.Events += len(events)
		if strings.HasPrefix(events[0].Type, seriesEvents) {
			made, err := remake(ctx, v, theSeries, events, zones)
			v.Series += made
			return err
		}
		made, err := remake(ctx, v, theTasks, events, zones)
		v.Tasks += made
		return err
	})
}

// seriesEvents is how the types of a series' events begin. Those of tasks are on the same topic.
const seriesEvents = "series."

// kind is one table that the log can rebuild: its rows R, made of aggregates T.
type kind[T, R any] struct {
	name   string
	replay func(*T, event.Envelope, proto.Message) (*T, error)
	// rowOf takes the owner's zone.
	rowOf func(T, *time.Location) R
	ids   func(R) (id, userID string)
}

var (
	theTasks = kind[task.Task, row]{
		"task", task.Replay, rowOf, func(r row) (string, string) { return r.ID, r.UserID },
	}
	theSeries = kind[task.Series, seriesRow]{
		"series", task.ReplaySeries,
		func(s task.Series, zone *time.Location) seriesRow {
			// What the log does not tell of must be something.
			s.Zone, s.Cursor, s.Newest = zone.String(), s.Start, s.ID
			return seriesRowOf(s)
		},
		func(r seriesRow) (string, string) { return r.ID, r.UserID },
	}
)

// remake writes one aggregate into the scratch schema and returns how many rows that made: one or, if it is gone, none.
func remake[T, R any](ctx context.Context, v *verifier, k kind[T, R], events []postgres.Stored, zones map[string]*time.Location) (int, error) {
	one, err := fold(events, k.replay)
	if err != nil {
		v.differ("%s", errs.Text(err))
		return 0, nil
	}
	if one == nil {
		return 0, nil
	}
	zone := zones[events[0].UserID]
	if zone == nil {
		v.differ("%s %s belongs to user %s, of whom there is no event", k.name, events[0].AggregateID, events[0].UserID)
		return 0, nil
	}
	r := k.rowOf(*one, zone)
	return 1, postgres.Failure(v.scratch.Read(ctx).Omit(clause.Associations).Create(&r).Error)
}

// fold applies all events of one aggregate.
func fold[T any](events []postgres.Stored, replay func(*T, event.Envelope, proto.Message) (*T, error)) (*T, error) {
	var state *T
	for _, e := range events {
		payload, err := decode(e.Envelope)
		if err != nil {
			return nil, err
		}
		if state, err = replay(state, e.Envelope, payload); err != nil {
			return nil, err
		}
	}
	return state, nil
}

func decode(e event.Envelope) (proto.Message, error) {
	for _, k := range contract.Events() {
		if k.Name == e.Type {
			payload := k.New()
			return payload, event.Unmarshal(e.Data, payload)
		}
	}
	return nil, errs.New(errs.Invalid, "event %s has the unknown type %s", e.ID, e.Type)
}

// compare walks both tables of a kind side by side, in the order of ids.
func compare[T, R any](ctx context.Context, v *verifier, k kind[T, R]) error {
	id := func(r R) string { id, _ := k.ids(r); return id }
	table, scratch := &walk[R]{db: v.table, id: id}, &walk[R]{db: v.scratch, id: id}
	for {
		a, err := table.peek(ctx)
		if err != nil {
			return err
		}
		b, err := scratch.peek(ctx)
		if err != nil {
			return err
		}
		switch {
		case a == nil && b == nil:
			return nil
		case b == nil || a != nil && id(*a) < id(*b):
			err = again(ctx, v, k, *a, "is in the table but not in the log")
			table.next()
		case a == nil || id(*b) < id(*a):
			err = again(ctx, v, k, *b, "is in the log but not in the table")
			scratch.next()
		default:
			if what := difference(*a, *b); what != "" {
				err = again(ctx, v, k, *a, what)
			}
			table.next()
			scratch.next()
		}
		if err != nil {
			return err
		}
	}
}

// again looks at one row afresh, log and table in one transaction, because it may have changed while the rest was read.
func again[T, R any](ctx context.Context, v *verifier, k kind[T, R], seen R, what string) error {
	id, userID := k.ids(seen)
	return v.table.Transaction(ctx, func(tx *postgres.Tx) error {
		owner, err := lockProfile(tx, userID, toRely)
		if postgres.IsNone(err) {
			owner.TimeZone = "UTC" // the user is gone, and so should this be
		} else if err != nil {
			return err
		}
		zone, err := task.Zone(owner.TimeZone)
		if err != nil {
			return err
		}
		var rows []R
		// The lock waits for a writer of this row; after it, its events are committed too.
		if err := tx.Clauses(lock(toRely)).Where("id = ?", id).Find(&rows).Error; err != nil {
			return err
		}
		var events []postgres.Stored
		err = v.log.EachOf(ctx, contract.Tasks, id, func(e postgres.Stored) { events = append(events, e) })
		if err != nil {
			return err
		}
		one, err := fold(events, k.replay)
		switch {
		case err != nil:
			v.differ("%s", errs.Text(err))
		case one == nil && len(rows) == 0:
		case one == nil || len(rows) == 0:
			v.differ("%s %s %s", k.name, id, what)
		default:
			if now := difference(rows[0], k.rowOf(*one, zone)); now != "" {
				v.differ("%s %s %s", k.name, id, now)
			}
		}
		return nil
	})
}

// difference names the columns in which a row of the table is not what the log says. What a row keeps apart in a struct of
// its own is derived.
func difference[R any](table, log R) string {
	a, b := reflect.ValueOf(table), reflect.ValueOf(log)
	var what strings.Builder
	for i := range a.NumField() {
		if a.Field(i).Type() == reflect.TypeFor[progressRow]() {
			continue
		}
		x, y := written(a.Field(i)), written(b.Field(i))
		if x != y {
			fmt.Fprintf(&what, " %s is %s in the table and %s in the log;", a.Type().Field(i).Name, x, y)
		}
	}
	return what.String()
}

// written writes a column's value so that equal values read the same.
func written(v reflect.Value) string {
	if v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return "null"
		}
		v = v.Elem()
	}
	if t, ok := v.Interface().(time.Time); ok {
		return t.UTC().Format(time.RFC3339Nano)
	}
	return fmt.Sprintf("%v", v.Interface())
}

// walk reads a table in the order of ids.
type walk[R any] struct {
	db   *postgres.DB
	id   func(R) string
	rows []R
	last string
	done bool
}

// peek is the next row, nil behind the last.
func (w *walk[R]) peek(ctx context.Context) (*R, error) {
	if len(w.rows) == 0 && !w.done {
		query := w.db.Read(ctx).Order("id").Limit(500)
		if w.last != "" {
			query = query.Where("id > ?", w.last)
		}
		if err := query.Find(&w.rows).Error; err != nil {
			return nil, postgres.Failure(err)
		}
		w.done = len(w.rows) == 0
	}
	if w.done {
		return nil, nil //nolint:nilnil // documented: behind the last
	}
	return &w.rows[0], nil
}

func (w *walk[R]) next() {
	w.last = w.id(w.rows[0])
	w.rows = w.rows[1:]
}
