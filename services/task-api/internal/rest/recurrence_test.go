package rest_test

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/taskflow-suite/taskflow/pkg/postgres/taskstore"
	"github.com/taskflow-suite/taskflow/pkg/task"
	"github.com/taskflow-suite/taskflow/services/task-api/internal/rest"
)

// preview is the path of a preview with these parameters, name and value in turn.
func preview(parameters ...string) string {
	query := url.Values{}
	for i := 0; i < len(parameters); i += 2 {
		query.Set(parameters[i], parameters[i+1])
	}
	return "/recurrence/preview?" + query.Encode()
}

func TestAPreviewShowsWhenARuleRepeatsAndSaysItInWords(t *testing.T) {
	t.Parallel()
	w := open(t, settings{})
	for name, c := range map[string]struct {
		parameters []string
		want       rest.RecurrencePreview
	}{
		"over the end of summer": {
			[]string{"rule", "FREQ=WEEKLY;INTERVAL=2;BYDAY=TU", "start", "2026-10-13T09:00:00+02:00", "count", "2", "time_zone", "Europe/Oslo"},
			rest.RecurrencePreview{
				Rule: "FREQ=WEEKLY;INTERVAL=2;BYDAY=TU", Sentence: "every second Tuesday at 09:00, Europe/Oslo", TimeZone: "Europe/Oslo", Anchor: "schedule",
				Occurrences: []string{"2026-10-13T09:00:00+02:00", "2026-10-27T09:00:00+01:00"},
			},
		},
		"in the user's zone": {
			[]string{"rule", "daily", "start", "2026-03-07T07:30:00Z", "count", "2"},
			rest.RecurrencePreview{
				Rule: "FREQ=DAILY", Sentence: "every day at 02:30, America/New_York", TimeZone: "America/New_York", Anchor: "schedule",
				Occurrences: []string{"2026-03-07T02:30:00-05:00", "2026-03-08T03:30:00-04:00"},
			},
		},
		"of whole days until the last": {
			[]string{"rule", "rrule:freq=monthly;bymonthday=-1;count=2", "start", "2028-01-31"},
			rest.RecurrencePreview{
				Rule: "FREQ=MONTHLY;BYMONTHDAY=-1;COUNT=2", Sentence: "every month on the last day, 2 times", TimeZone: "America/New_York", Anchor: "schedule",
				Ends: true, Occurrences: []string{"2028-01-31", "2028-02-29"},
			},
		},
		"counted from completion": {
			[]string{"rule", "FREQ=DAILY;INTERVAL=3", "start", "2026-12-01T08:00:00Z", "count", "3", "time_zone", "UTC", "anchor", "completion"},
			rest.RecurrencePreview{
				Rule: "FREQ=DAILY;INTERVAL=3", Sentence: "every third day at 08:00, UTC, counted from the day it is done", TimeZone: "UTC", Anchor: "completion",
				Occurrences: []string{"2026-12-01T08:00:00Z", "2026-12-04T08:00:00Z", "2026-12-07T08:00:00Z"},
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			u := w.user(t)
			u.send("PUT", "/profile", `{"time_zone":"America/New_York"}`).want(t, 200)
			got := decode[rest.RecurrencePreview](t, u.send("GET", preview(c.parameters...), "").want(t, 200))
			if !slices.Equal(got.Occurrences, c.want.Occurrences) {
				t.Errorf("got  %v\nwant %v", got.Occurrences, c.want.Occurrences)
			}
			got.Occurrences, c.want.Occurrences = nil, nil
			if got.Sentence != c.want.Sentence || got.Rule != c.want.Rule || got.TimeZone != c.want.TimeZone || got.Anchor != c.want.Anchor || got.Ends != c.want.Ends {
				t.Errorf("got  %+v\nwant %+v", got, c.want)
			}
		})
	}
}

// repeatsIn is what becomes of a task that is done the day it is due, again and again: the due dates, at most n.
func (u user) repeatsIn(zone *time.Location, body string, n int) []string {
	u.t.Helper()
	last := u.create(body)
	found := []string{last.DueDate.MustGet()}
	for len(found) < n {
		due, err := time.Parse(time.RFC3339, last.DueDate.MustGet())
		if err != nil {
			if due, err = time.ParseInLocation(time.DateOnly, last.DueDate.MustGet(), zone); err != nil {
				u.t.Fatal(err)
			}
		}
		did, err := task.NewService(taskstore.New(u.db), time.Now).Spawn(u.t.Context(), u.id, last.SeriesID.MustGet(), task.Cause{Closed: last.ID, ClosedAt: due})
		if err != nil {
			u.t.Fatal(err)
		}
		if len(did.Made) == 0 {
			break
		}
		last = decode[rest.Task](u.t, u.send("GET", "/tasks/"+did.Made[0].ID, "").want(u.t, 200))
		found = append(found, last.DueDate.MustGet())
	}
	return found
}

func TestAPreviewShowsWhatBecomesOfTheTask(t *testing.T) {
	t.Parallel()
	w := open(t, settings{})
	for _, rule := range []string{
		"FREQ=WEEKLY;BYDAY=MO", "FREQ=WEEKLY;BYDAY=MO;COUNT=3", "FREQ=WEEKLY;BYDAY=MO;COUNT=1", "FREQ=WEEKLY;INTERVAL=2;BYDAY=SA,SU;COUNT=4", "FREQ=MONTHLY;BYMONTHDAY=-1",
		"FREQ=DAILY", "FREQ=DAILY;COUNT=3", "FREQ=DAILY;UNTIL=20300401", "FREQ=DAILY;UNTIL=20300331T160000Z",
	} {
		// A Friday, two days before the clocks of Oslo jump over half past two.
		for _, start := range []string{"2030-03-29", "2030-03-29T01:30:00Z"} {
			for _, anchor := range []string{"schedule", "completion"} {
				for _, name := range []string{"Europe/Oslo", "Asia/Tokyo"} {
					t.Run(strings.Join([]string{rule, start, anchor, name}, " "), func(t *testing.T) {
						t.Parallel()
						zone, err := time.LoadLocation(name)
						if err != nil {
							t.Fatal(err)
						}
						u := w.user(t)
						u.send("PUT", "/profile", `{"time_zone":"`+name+`"}`).want(t, 200)
						want := u.repeatsIn(zone, fmt.Sprintf(`{"title":"x","due_date":%q,"recurrence":{"rule":%q,"anchor":%q}}`, start, rule, anchor), 6)
						shown := decode[rest.RecurrencePreview](t, u.send("GET", preview("rule", rule, "start", start, "anchor", anchor, "count", "6"), "").want(t, 200))
						var got []string
						for _, at := range shown.Occurrences {
							if moment, err := time.Parse(time.RFC3339, at); err == nil {
								at = moment.UTC().Format("2006-01-02T15:04:05.000Z")
							}
							got = append(got, at)
						}
						if !slices.Equal(got, want) {
							t.Errorf("it shows %v\nthere come %v", got, want)
						}
					})
				}
			}
		}
	}
}

func TestAPreviewWithoutAStartBeginsNow(t *testing.T) {
	t.Parallel()
	u := open(t, settings{}).user(t)
	got := decode[rest.RecurrencePreview](t, u.send("GET", preview("rule", "daily"), "").want(t, 200))
	if len(got.Occurrences) != 5 || got.Ends || !strings.HasSuffix(got.Occurrences[0], ":00Z") {
		t.Errorf("%+v", got)
	}
	// As a task without a due date begins the first day that is selected.
	got = decode[rest.RecurrencePreview](t, u.send("GET", preview("rule", "FREQ=MONTHLY;BYMONTHDAY=-1;COUNT=1"), "").want(t, 200))
	at, err := time.Parse(time.RFC3339, got.Occurrences[0])
	if err != nil || len(got.Occurrences) != 1 || at.AddDate(0, 0, 1).Day() != 1 {
		t.Errorf("%+v (%v)", got, err)
	}
}

func TestAPreviewOfARuleThatCannotBeSaysWhy(t *testing.T) {
	t.Parallel()
	u := open(t, settings{}).user(t)
	for name, c := range map[string]struct {
		parameters []string
		want       string
	}{
		"no rule":                  {nil, "rule is required"},
		"by the second":            {[]string{"rule", "FREQ=SECONDLY"}, "rule must repeat by day, week, month or year"},
		"the 30th of February":     {[]string{"rule", "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30"}, "rule must name days that exist: February has no 30th"},
		"a zone that is none":      {[]string{"rule", "daily", "time_zone", "Mars/Base"}, "time_zone is not an IANA time zone such as Europe/Oslo"},
		"a start that is none":     {[]string{"rule", "daily", "start", "soon"}, "start must be an RFC 3339 instant such as 2026-12-01T09:00:00Z, or a date such as 2026-12-01"},
		"too many":                 {[]string{"rule", "daily", "count", "101"}, "count must be 1 to 100"},
		"another anchor":           {[]string{"rule", "daily", "anchor", "whim"}, "anchor must be schedule or completion"},
		"over by now":              {[]string{"rule", "FREQ=DAILY;UNTIL=20200101"}, "rule must come true after its start, and never does"},
		"an end before the start":  {[]string{"rule", "FREQ=DAILY;UNTIL=20200101", "start", "2026-12-01"}, "rule must come true after its start, and never does"},
		"never from this start on": {[]string{"rule", "FREQ=YEARLY;INTERVAL=2;BYMONTH=2;BYMONTHDAY=29", "start", "2027-01-01"}, "rule must come true after its start, and never does"},
	} {
		t.Run(name, func(t *testing.T) {
			u := u
			u.t = t
			if got := problem(t, u.send("GET", preview(c.parameters...), "").want(t, 422)); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}
