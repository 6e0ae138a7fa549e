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
	Tasks, Events int
	// Differences names what differs, one line each, 1000 at most.
	Differences []string
}

const maxDifferences = 1000

// Verify rebuilds profiles and tasks from the event log alone, in a scratch schema beside the one the URL leads to, and
// compares them with the tables, row by row and column by column. The scratch schema is gone afterwards. It reads while
// others write: what is changed meanwhile is looked at a second time before it is called a difference.
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
	if err := v.compare(ctx); err != nil {
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
		t, err := fold(events, task.Replay)
		if err != nil {
			v.differ("%s", errs.Text(err))
			return nil
		}
		if t == nil {
			return nil
		}
		if zones[t.UserID] == nil {
			v.differ("task %s belongs to user %s, of whom there is no event", t.ID, t.UserID)
			return nil
		}
		v.Tasks++
		r := rowOf(*t, zones[t.UserID])
		return postgres.Failure(v.scratch.Read(ctx).Omit(clause.Associations).Create(&r).Error)
	})
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

// compare walks both tables side by side, in the order of ids.
func (v *verifier) compare(ctx context.Context) error {
	table, scratch := &walk{db: v.table}, &walk{db: v.scratch}
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
		case b == nil || a != nil && a.ID < b.ID:
			err = v.again(ctx, a.ID, "is in the table but not in the log")
			table.next()
		case a == nil || b.ID < a.ID:
			err = v.again(ctx, b.ID, "is in the log but not in the table")
			scratch.next()
		default:
			if what := difference(*a, *b); what != "" {
				err = v.again(ctx, a.ID, what)
			}
			table.next()
			scratch.next()
		}
		if err != nil {
			return err
		}
	}
}

// again looks at one task afresh, log and row in one snapshot, because it may have changed while the rest was read.
func (v *verifier) again(ctx context.Context, id, what string) error {
	err := v.table.Transaction(ctx, func(tx *postgres.Tx) error {
		var rows []row
		// The lock waits for a writer of this task; after it, its events are committed too.
		if err := tx.Clauses(lock(toRely)).Where("id = ?", id).Find(&rows).Error; err != nil {
			return err
		}
		var events []postgres.Stored
		err := v.log.EachOf(ctx, contract.Tasks, id, func(e postgres.Stored) { events = append(events, e) })
		if err != nil {
			return err
		}
		t, err := fold(events, task.Replay)
		switch {
		case err != nil:
			v.differ("%s", errs.Text(err))
		case t == nil && len(rows) == 0:
		case t == nil || len(rows) == 0:
			v.differ("task %s %s", id, what)
		default:
			zone, err := lockZone(tx, t.UserID, toRely)
			if err != nil {
				return err
			}
			if now := difference(rows[0], rowOf(*t, zone)); now != "" {
				v.differ("task %s %s", id, now)
			}
		}
		return nil
	})
	return err
}

// difference names the columns in which a row of the table is not what the log says.
func difference(table, log row) string {
	a, b := reflect.ValueOf(table), reflect.ValueOf(log)
	var what strings.Builder
	for i := range a.NumField() {
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

// walk reads a tasks table in the order of ids.
type walk struct {
	db   *postgres.DB
	rows []row
	last string
	done bool
}

// peek is the next row, nil behind the last.
func (w *walk) peek(ctx context.Context) (*row, error) {
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

func (w *walk) next() {
	w.last = w.rows[0].ID
	w.rows = w.rows[1:]
}
