package work

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"github.com/taskflow-suite/taskflow/pkg/event"

	"github.com/taskflow-suite/taskflow/services/e2e/chaos/internal/record"
)

// keepsTasks is somebody who makes and changes plain tasks over REST, and looks at them.
func (w *worker) keepsTasks(ctx context.Context) {
	for w.pause(ctx, 50*time.Millisecond, 500*time.Millisecond) {
		k, some := w.any(w.chance)
		switch n := w.chance.IntN(100); {
		case !some || n < 30:
			w.learns(w.change(ctx, record.Item{Verb: record.Create, Title: w.title("task")}))
		case n < 70:
			w.learns(w.change(ctx, w.wish(k)))
		case n < 80:
			w.batch(ctx)
		case n < 90:
			w.read(ctx, "/tasks/"+k.id, record.Item{Verb: record.Read, Task: k.id})
		case n < 95:
			w.read(ctx, "/tasks?limit=200", record.Item{Verb: record.List})
		default:
			w.trespass(ctx)
		}
	}
}

// wish is something that can be done with a task as it is known.
func (w *worker) wish(k known) record.Item {
	item := record.Item{Task: k.id, Base: k.version}
	n := w.chance.IntN(10)
	switch {
	case k.deleted:
		item.Verb = record.Restore
	case n == 0:
		item.Verb = record.Delete
	case k.completed && n < 5:
		item.Verb = record.Reopen
	case !k.completed && n < 4:
		item.Verb = record.Complete
	default:
		item.Verb, item.Title = record.Update, w.title("title")
	}
	return item
}

// change makes one change with a request of its own.
func (w *worker) change(ctx context.Context, item record.Item) []shown {
	r := record.Request{Door: record.REST, Items: []record.Item{item}}
	header := http.Header{}
	if item.Verb == record.Create {
		r.Key = event.NewID()
		header.Set("Idempotency-Key", r.Key)
	}
	if item.Base > 0 {
		header.Set("If-Match", strconv.Quote(strconv.Itoa(item.Base)))
	}
	method, path, body := asREST(item)
	o := w.send(ctx, r, func(ctx context.Context) outcome {
		status, raw, err := w.quick.Send(ctx, method, path, header, body)
		if err != nil {
			return failed(err)
		}
		return single(status, raw)
	})
	return o.shown
}

// asREST is the request for one change.
func asREST(item record.Item) (method, path string, body any) {
	path = "/tasks/" + item.Task
	switch item.Verb {
	case record.Create:
		return http.MethodPost, "/tasks", fields(item)
	case record.Update:
		return http.MethodPatch, path, map[string]any{"title": item.Title}
	case record.Complete, record.Reopen:
		return http.MethodPatch, path + "/complete", map[string]any{"completed": item.Verb == record.Complete}
	case record.Delete:
		return http.MethodDelete, path, nil
	case record.Restore:
		return http.MethodPost, path + "/restore", nil
	default:
		return http.MethodGet, path, nil
	}
}

// fields are a new task.
func fields(item record.Item) map[string]any {
	task := map[string]any{"title": item.Title}
	if !item.Due.IsZero() {
		task["due_date"] = item.Due.Format(time.RFC3339Nano)
	}
	if item.Daily {
		task["recurrence"] = map[string]any{"rule": "FREQ=DAILY", "time_zone": "UTC"}
	}
	if len(item.Rings) > 0 {
		task["remind_at"] = item.Rings
	}
	return task
}

// single reads the answer to a request about one task.
func single(status int, raw []byte) outcome {
	told, shown := item(status, raw)
	o := outcome{Answer: record.Answer{Status: status, Told: []record.Told{told}}, shown: shown}
	if status >= http.StatusBadRequest {
		o.Error = string(raw[:min(len(raw), 300)])
	}
	return o
}

// item reads what became of one item: its task, or the task that a refusal shows.
func item(status int, raw []byte) (record.Told, []shown) {
	told := record.Told{Status: status}
	var s shown
	if told.Done() {
		if err := json.Unmarshal(raw, &s); err != nil || s.ID == "" {
			return record.Told{}, nil // half an answer is none
		}
	} else {
		var refusal struct {
			Current shown `json:"current"`
		}
		if err := json.Unmarshal(raw, &refusal); err != nil || refusal.Current.ID == "" {
			return told, nil
		}
		s = refusal.Current
	}
	told.Seen = s.seen()
	return told, []shown{s}
}

// batch makes several changes with one request.
func (w *worker) batch(ctx context.Context) {
	r := record.Request{Door: record.REST, Key: event.NewID()}
	used := map[string]bool{}
	var operations []map[string]any
	for range 2 + w.chance.IntN(4) {
		item := record.Item{Verb: record.Create, Title: w.title("batch")}
		if k, some := w.any(w.chance); some && w.chance.IntN(2) == 0 && !used[k.id] {
			used[k.id] = true
			item = w.wish(k)
		}
		operation := map[string]any{"op": string(item.Verb)}
		switch item.Verb {
		case record.Create:
			operation["task"] = fields(item)
		case record.Update:
			operation["changes"] = map[string]any{"title": item.Title}
			fallthrough
		default:
			operation["id"], operation["version"] = item.Task, item.Base
		}
		r.Items = append(r.Items, item)
		operations = append(operations, operation)
	}
	header := http.Header{"Idempotency-Key": {r.Key}}
	o := w.send(ctx, r, func(ctx context.Context) outcome {
		status, raw, err := w.quick.Send(ctx, http.MethodPost, "/tasks/batch", header, map[string]any{"operations": operations})
		if err != nil {
			return failed(err)
		}
		return many(status, raw, len(operations))
	})
	w.learns(o.shown)
}

// many reads the answer to a batch of n.
func many(status int, raw []byte, n int) outcome {
	o := outcome{Answer: record.Answer{Status: status}}
	var answer struct {
		Results []struct {
			Status  int             `json:"status"`
			Task    json.RawMessage `json:"task"`
			Problem json.RawMessage `json:"problem"`
		} `json:"results"`
	}
	if status != http.StatusOK {
		o.Error = string(raw[:min(len(raw), 300)])
		for range n {
			o.Told = append(o.Told, record.Told{Status: status})
		}
		return o
	}
	if err := json.Unmarshal(raw, &answer); err != nil || len(answer.Results) != n {
		return outcome{Answer: record.Answer{Status: status, Error: "half an answer"}}
	}
	for _, r := range answer.Results {
		raw := r.Task
		if r.Status/100 != 2 {
			raw = r.Problem
		}
		told, shown := item(r.Status, raw)
		o.Told = append(o.Told, told)
		o.shown = append(o.shown, shown...)
	}
	return o
}

// read looks at one task or many.
func (w *worker) read(ctx context.Context, path string, item record.Item) []shown {
	r := record.Request{Door: record.REST, Items: []record.Item{item}}
	o := w.send(ctx, r, func(ctx context.Context) outcome {
		status, raw, err := w.quick.Send(ctx, http.MethodGet, path, nil, nil)
		if err != nil {
			return failed(err)
		}
		if item.Verb != record.List {
			return single(status, raw)
		}
		o := outcome{Answer: record.Answer{Status: status, Told: []record.Told{{Status: status}}}}
		var page struct {
			Items []shown `json:"items"`
		}
		if status != http.StatusOK {
			o.Error = string(raw[:min(len(raw), 300)])
			return o
		}
		if err := json.Unmarshal(raw, &page); err != nil {
			return failed(err)
		}
		o.shown = page.Items
		for _, s := range page.Items {
			o.Seen = append(o.Seen, s.seen())
		}
		return o
	})
	return o.shown
}

// trespass asks for somebody else's task, as one's own and as theirs.
func (w *worker) trespass(ctx context.Context) {
	other := w.crowd.people[w.chance.IntN(len(w.crowd.people))]
	k, some := other.any(w.chance)
	if other == w.person || !some {
		return
	}
	thief := *w.quick
	if w.chance.IntN(2) == 0 {
		thief.UserID = other.user() // with one's own token
	}
	item := record.Item{Verb: record.Foreign, Task: k.id}
	w.send(ctx, record.Request{Door: record.REST, Items: []record.Item{item}}, func(ctx context.Context) outcome {
		status, raw, err := thief.Send(ctx, http.MethodGet, "/tasks/"+k.id, nil, nil)
		if err != nil {
			return failed(err)
		}
		return single(status, raw)
	})
}
