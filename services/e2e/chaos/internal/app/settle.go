package app

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"path/filepath"
	"time"

	"github.com/taskflow-suite/taskflow/services/e2e/chaos/internal/check"
	"github.com/taskflow-suite/taskflow/services/e2e/chaos/internal/record"
	"github.com/taskflow-suite/taskflow/services/internal/client"
)

// settle waits until everything has arrived everywhere, and then for what should not come, and judges. What has not arrived in
// its time is a finding.
func (r *run) settle(ctx context.Context) (check.Report, error) {
	fmt.Fprintln(r.say, "looking at what is there")
	began := time.Now()
	for quiet := false; ; {
		state, err := r.state(ctx)
		if err != nil {
			return check.Report{}, err
		}
		if err := r.record.Hold(); err != nil {
			return check.Report{}, err
		}
		lines, err := record.Open(filepath.Join(r.out, recordName))
		if err != nil {
			return check.Report{}, err
		}
		for i := range state {
			state[i].At = lines[len(lines)-1].At
		}
		report := check.Record(append(lines, state...))
		if report.OK() && quiet || time.Since(began) > settling {
			fmt.Fprintf(r.say, "looked for %s\n", time.Since(began).Round(time.Second))
			return report, r.record.End(state)
		}
		r.record.Release()
		// Once more after all is well: what is done twice may be done late.
		quiet = report.OK()
		if !pause(ctx, 3*time.Second) {
			return check.Report{}, ctx.Err()
		}
	}
}

// readable is how long the API may take until it shows what is asked for, long after everything was mended.
const readable = 30 * time.Second

// state is everything that everybody has, as the API shows it.
func (r *run) state(ctx context.Context) ([]record.Line, error) {
	end := record.End{Now: time.Now().UTC()}
	var all []record.Line
	for n := range r.options.people {
		c, err := r.client(fmt.Sprintf("p%d", n+1), 30*time.Second)
		if err != nil {
			return nil, err
		}
		for _, part := range []func(context.Context, *client.Client) ([]record.Line, error){tasks, events, messages} {
			var lines []record.Line
			reading, cancel := context.WithTimeout(ctx, readable)
			err := insist(reading, func() (err error) { lines, err = part(reading, c); return err })
			cancel()
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			if err != nil {
				end.Missing = append(end.Missing, fmt.Sprintf("of %s: %v", c.UserID, err))
			}
			all = append(all, lines...)
		}
	}
	return append(all, record.Line{End: &end}), nil
}

// pages reads a list to its end, page by page.
func pages[T any](ctx context.Context, c *client.Client, path string, see func(T)) error {
	for cursor := ""; ; {
		var page struct {
			Items []T     `json:"items"`
			Next  *string `json:"next_cursor"`
		}
		if err := c.Do(ctx, http.MethodGet, path+cursor, "", nil, &page); err != nil {
			return err
		}
		for _, item := range page.Items {
			see(item)
		}
		if page.Next == nil || *page.Next == "" {
			return nil
		}
		cursor = "&cursor=" + url.QueryEscape(*page.Next)
	}
}

func tasks(ctx context.Context, c *client.Client) (lines []record.Line, err error) {
	type task struct {
		ID         string  `json:"id"`
		Title      string  `json:"title"`
		Version    int     `json:"version"`
		Completed  bool    `json:"completed"`
		DeletedAt  *string `json:"deleted_at"`
		SeriesID   string  `json:"series_id"`
		Occurrence string  `json:"occurrence"`
		DueDate    string  `json:"due_date"`
	}
	see := func(t task) {
		lines = append(lines, record.Line{Task: &record.Task{
			User: c.UserID, ID: t.ID, Title: t.Title, Version: t.Version, Completed: t.Completed, Deleted: t.DeletedAt != nil,
			Series: t.SeriesID, Occurrence: t.Occurrence, Due: t.DueDate,
		}})
	}
	err = errors.Join(pages(ctx, c, "/tasks?limit=200", see), pages(ctx, c, "/tasks?deleted=true&limit=200", see))
	return lines, err
}

func events(ctx context.Context, c *client.Client) (lines []record.Line, err error) {
	type event struct {
		ID        string    `json:"event_id"`
		Type      string    `json:"event_type"`
		Time      time.Time `json:"timestamp"`
		Aggregate string    `json:"aggregate_id"`
		Version   int       `json:"version"`
		Sequence  int64     `json:"sequence"`
		Data      struct {
			Fields struct {
				Title string `json:"title"`
			} `json:"fields"`
			Occurrence struct {
				Series string `json:"series_id"`
				At     string `json:"at"`
			} `json:"occurrence"`
			DueAt time.Time `json:"due_at"`
		} `json:"data"`
	}
	for _, topic := range []string{"tasks.events", "users.events"} {
		err := pages(ctx, c, "/events?limit=500&topic="+topic, func(e event) {
			lines = append(lines, record.Line{Event: &record.Event{
				User: c.UserID, Topic: topic, Sequence: e.Sequence, ID: e.ID, Type: e.Type, Subject: e.Aggregate, Version: e.Version,
				Time: e.Time, Title: e.Data.Fields.Title, Ring: e.Data.DueAt, Series: e.Data.Occurrence.Series, Occurrence: e.Data.Occurrence.At,
			}})
		})
		if err != nil {
			return nil, err
		}
	}
	return lines, nil
}

func messages(ctx context.Context, c *client.Client) (lines []record.Line, err error) {
	var conversations []string
	if err := pages(ctx, c, "/conversations?limit=50", func(v struct {
		ID string `json:"id"`
	},
	) {
		conversations = append(conversations, v.ID)
	}); err != nil {
		return nil, err
	}
	for _, id := range conversations {
		var page struct {
			Items []struct {
				ID, Role, Text string
			} `json:"items"`
		}
		if err := c.Do(ctx, http.MethodGet, "/conversations/"+id+"/messages?limit=100", "", nil, &page); err != nil {
			return nil, err
		}
		for _, m := range page.Items {
			lines = append(lines, record.Line{Message: &record.Message{User: c.UserID, Conversation: id, ID: m.ID, Role: m.Role, Text: m.Text}})
		}
	}
	return lines, nil
}
