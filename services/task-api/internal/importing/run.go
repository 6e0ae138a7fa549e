package importing

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/recurrence"
	"github.com/taskflow-suite/taskflow/pkg/task"
)

// Status is what became of an item.
type Status string

// The statuses.
const (
	Imported Status = "imported"
	// Already is an item that the same file made before.
	Already Status = "already_imported"
	// Ready is an item that a dry run would import.
	Ready   Status = "ready"
	Refused Status = "refused"
)

// Result is an item and what became of it.
type Result struct {
	Item
	Status Status
	// TaskID is empty if there is no task.
	TaskID string
	// Sentence says in English how it repeats, empty if it does not.
	Sentence string
	// Errors say why it was refused.
	Errors []errs.Field
}

// Importer creates the tasks of one file of one user.
type Importer struct {
	tasks  *task.Service
	userID string
	owner  *time.Location
	// once is the file's own name: with it, what it made is made once.
	once string
}

// New makes an Importer of a file that was read from body, in a format. owner is the user's zone.
func New(tasks *task.Service, userID string, owner *time.Location, format string, body []byte) *Importer {
	h := sha256.New()
	h.Write([]byte(format + "\n"))
	h.Write(body)
	return &Importer{tasks, userID, owner, hex.EncodeToString(h.Sum(nil))}
}

// Check says of each item what Run would do with it.
func (i *Importer) Check(file File) []Result {
	results := make([]Result, len(file.Items))
	for n, item := range file.Items {
		results[n] = i.check(item)
	}
	return results
}

func (i *Importer) check(item Item) Result {
	r := Result{Item: item, Status: Ready}
	normal, err := item.Fields.Normal()
	if err == nil && item.Own != nil {
		err = r.normalOwn(normal.Recurrence)
	}
	if err != nil {
		r.refuse(err)
		return r
	}
	r.Fields = normal
	if normal.Recurrence == nil {
		return r
	}
	rule, err := recurrence.Parse(normal.Recurrence.Rule)
	if err != nil {
		r.refuse(err)
		return r
	}
	zone := i.owner
	if name := normal.Recurrence.TimeZone; name != "" {
		if zone, err = task.Zone(name); err != nil {
			r.refuse(err)
			return r
		}
	}
	start, said := normal.Due.At.In(zone), zone
	if normal.Due.Date != "" {
		said = nil
		if start, err = time.Parse(time.DateOnly, normal.Due.Date); err != nil {
			r.refuse(err)
			return r
		}
	}
	r.Sentence = rule.Words(start, said, normal.Recurrence.Anchor == task.OnCompletion)
	return r
}

// normalOwn checks what the first occurrence alone says.
func (r *Result) normalOwn(repeats *task.Recurrence) error {
	own := *r.Own
	own.Recurrence = repeats
	normal, err := own.Normal()
	if err != nil {
		return err
	}
	r.Own = &normal
	return nil
}

func (r *Result) refuse(err error) {
	r.Status, r.Errors = Refused, errs.Fields(err)
	if len(r.Errors) == 0 {
		r.Errors = []errs.Field{{Field: "task", Message: errs.Text(err)}}
	}
}

// Run creates the tasks of a file. Its items go into batches by their place in the file, each with a name of its own, so that
// a file that is sent again creates nothing twice, however far it came before. The error is one that another attempt may not
// meet (errs.Unavailable, an end of ctx); what was made until then stays, and is known then.
func (i *Importer) Run(ctx context.Context, file File) ([]Result, error) {
	results := i.Check(file)
	for begin := 0; begin < len(results); begin += task.MaxBatch {
		if err := i.batch(ctx, results[begin:min(begin+task.MaxBatch, len(results))], begin); err != nil {
			return nil, err
		}
	}
	for n := range results {
		if err := i.finish(ctx, &results[n]); err != nil {
			return nil, err
		}
	}
	return results, nil
}

// batch creates what is ready of some results, the first of which is at place begin of the file.
func (i *Importer) batch(ctx context.Context, results []Result, begin int) error {
	var ready []*Result
	var places []int
	for n := range results {
		if results[n].Status == Ready {
			ready, places = append(ready, &results[n]), append(places, begin+n)
		}
	}
	if len(ready) == 0 {
		return nil
	}
	err := i.create(ctx, ready, places, strconv.Itoa(begin))
	if err != nil && !errs.Is(err, errs.Invalid) {
		return err
	}
	// What the rule book refuses only now, and what was no part of the batch when it was made, is tried by itself.
	for n, r := range ready {
		if r.Status != Ready {
			continue
		}
		err := i.create(ctx, ready[n:n+1], places[n:n+1], strconv.Itoa(begin)+":"+strconv.Itoa(places[n]))
		switch {
		case errs.Is(err, errs.Invalid):
			r.refuse(err)
		case err != nil:
			return err
		case r.Status == Ready:
			return fmt.Errorf("item %d of an import was neither made nor refused", places[n])
		}
	}
	return nil
}

// create makes tasks under a name, or finds what was made under it before. places are theirs in the file.
func (i *Importer) create(ctx context.Context, ready []*Result, places []int, name string) error {
	fields := make([]task.Fields, len(ready))
	for n, r := range ready {
		fields[n] = r.Fields
	}
	once := task.Idempotency{Key: "import:" + i.once + ":" + name, Hash: i.once}
	made, stored, err := i.tasks.Create(ctx, i.userID, once, func(made []task.Task) ([]byte, error) {
		var ids strings.Builder
		for n, t := range made {
			fmt.Fprintf(&ids, "%d %s\n", places[n], t.ID)
		}
		return []byte(ids.String()), nil
	}, fields...)
	if err != nil {
		return err
	}
	for n, t := range made {
		ready[n].Status, ready[n].TaskID, ready[n].Fields = Imported, t.ID, t.Fields
	}
	before := map[int]string{}
	for text := range strings.Lines(string(stored)) {
		var place int
		var id string
		if _, err := fmt.Sscanf(text, "%d %s", &place, &id); err != nil {
			return fmt.Errorf("the answer stored for an import: %w", err)
		}
		before[place] = id
	}
	for n, r := range ready {
		if id := before[places[n]]; id != "" {
			r.Status, r.TaskID = Already, id
		}
	}
	return nil
}

// finish does what a new task cannot be made with: it is completed, and given what the first occurrence alone says. A task
// that somebody has changed since, or that is gone, stays as it is; so one attempt may go on where another was cut off.
func (i *Importer) finish(ctx context.Context, r *Result) error {
	if r.TaskID == "" || !r.Done && r.Own == nil {
		return nil
	}
	const untouched = 1
	done := r.Done
	_, err := i.tasks.Edit(ctx, i.userID, r.TaskID, untouched, task.This, func(f *task.Fields) {
		if r.Own != nil {
			repeats := f.Recurrence
			*f = *r.Own
			f.Recurrence = repeats
		}
	}, &done)
	switch {
	case err == nil, errs.Is(err, errs.Stale), errs.Is(err, errs.NotFound), errs.Is(err, errs.Conflict):
		return nil
	case errs.Is(err, errs.Invalid):
		slog.WarnContext(ctx, "an imported task stayed open", "task", r.TaskID, "error", err)
		r.Warn("it could not be brought to the state it has in the file")
		return nil
	default:
		return err
	}
}
