package tools_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/taskflow-suite/taskflow/services/internal/agenttools"
)

func TestTimesAreReadInTheUsersZone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for name, one := range map[string]struct{ zone, due, want string }{
		"with its offset":                {"America/New_York", "2026-12-01T17:00:00+05:00", "2026-12-01T07:00:00-05:00"},
		"in UTC":                         {"America/New_York", "2026-12-01T17:00:00Z", "2026-12-01T12:00:00-05:00"},
		"without seconds":                {"America/New_York", "2026-12-01T17:00Z", "2026-12-01T12:00:00-05:00"},
		"without an offset":              {"America/New_York", "2026-12-01T17:00:00", "2026-12-01T17:00:00-05:00"},
		"as people write it":             {"America/New_York", " 2026-07-01 17:00 ", "2026-07-01T17:00:00-04:00"},
		"a day":                          {"America/New_York", "2026-12-01", "2026-12-01"},
		"in New York's gap":              {"America/New_York", "2027-03-14T02:30", "2027-03-14T03:30:00-04:00"},
		"in New York's overlap":          {"America/New_York", "2027-11-07T01:30", "2027-11-07T01:30:00-04:00"},
		"the second of the overlap":      {"America/New_York", "2027-11-07T01:30:00-05:00", "2027-11-07T01:30:00-05:00"},
		"in Lord Howe's half-hour gap":   {"Australia/Lord_Howe", "2027-10-03T02:15", "2027-10-03T02:45:00+11:00"},
		"where clocks never change":      {"Asia/Karachi", "2027-03-14T02:30", "2027-03-14T02:30:00+05:00"},
		"in the last year that there is": {"UTC", "9998-12-31T23:59:59Z", "9998-12-31T23:59:59Z"},
	} {
		c := w.as(strings.ReplaceAll(one.zone, "/", "-"), one.zone)
		if got := c.add(`{"title":"x","due":"` + one.due + `"}`); got.Due != one.want {
			t.Errorf("%s: %q is %q", name, one.due, got.Due)
		}
	}
	c := w.as("ada", "UTC")
	for _, due := range []string{
		"tomorrow", "2026-13-01", "2026-02-30", "2026-12-01T25:00", "1969-12-31", "9999-01-01", "2026-12-01T17:00:00+25:00", "12/01/2026", "2026-12-01T17:00:00 PST", "none",
	} {
		if f := c.fail(agenttools.AddTasks, args(`{"tasks":[{"title":"x","due":%q}]}`, due)); f[0].Code != "invalid" || !strings.HasPrefix(f[0].Error, "due must") {
			t.Errorf("%q: %+v", due, f)
		}
	}
}

func TestReschedulingKeepsTheTimeOfDayAndTheRule(t *testing.T) {
	t.Parallel()
	c := newWorld(t).as("ada", "America/New_York")
	for name, one := range map[string]struct{ from, to, want string }{
		"a day keeps the time":                 {"2026-12-01T17:00", `"due":"2026-12-24"`, "2026-12-24T17:00:00-05:00"},
		"also over the beginning of summer":    {"2026-12-01T17:00", `"due":"2027-06-01"`, "2027-06-01T17:00:00-04:00"},
		"also into a gap":                      {"2026-12-01T02:30", `"due":"2027-03-14"`, "2027-03-14T03:30:00-04:00"},
		"a time is a time":                     {"2026-12-01T17:00", `"due":"2026-12-24T09:00"`, "2026-12-24T09:00:00-05:00"},
		"a whole day stays one":                {"2026-12-01", `"due":"2026-12-24"`, "2026-12-24"},
		"a whole day gets a time":              {"2026-12-01", `"due":"2026-12-24T09:00"`, "2026-12-24T09:00:00-05:00"},
		"a time becomes a whole day":           {"2026-12-01T17:00", `"due":"2026-12-24","all_day":true`, "2026-12-24"},
		"an instant becomes the day it is on":  {"2026-12-01T17:00", `"due":"2026-12-25T03:00:00Z","all_day":true`, "2026-12-24"},
		"nothing is left, reminders included":  {"2026-12-01T17:00", `"due":"none"`, ""},
		"where there was nothing comes a date": {"", `"due":"2026-12-24"`, "2026-12-24"},
	} {
		item := `{"title":"x","description":"kept","repeats":"weekly","repeats_from":"completion"`
		if one.from != "" {
			item += `,"reminders":[15],"due":"` + one.from + `"`
		}
		made := c.add(item + `}`)
		want := made
		want.Due = one.want
		want.Version = 2
		if one.want == "" {
			want.Reminders, want.Version = nil, 3
		}
		got := c.do(agenttools.RescheduleTasks, args(`{"tasks":[{"id":%q,%s}]}`, made.ID, one.to)).Tasks[0]
		if got.Due != want.Due || got.Repeats != "FREQ=WEEKLY" || got.RepeatsFrom != "completion" || got.Description != "kept" ||
			!slices.Equal(got.Reminders, want.Reminders) || got.Version != want.Version {
			t.Errorf("%s: %+v", name, got)
		}
	}
	if f := c.fail(agenttools.RescheduleTasks, args(`{"tasks":[{"id":"x","due":"later"}]}`))[0]; f.Code != "invalid" || f.Item != "x" {
		t.Errorf("to a time that is none: %+v", f)
	}
}

func TestARuleIsPreviewed(t *testing.T) {
	t.Parallel()
	c := newWorld(t).as("ada", "America/New_York")
	for name, one := range map[string]struct {
		input string
		rule  string
		want  []string
		ended bool
	}{
		"over the end of summer":  {`{"repeats":"weekly","start":"2027-10-31T09:00","count":2}`, "FREQ=WEEKLY", []string{"2027-10-31T09:00:00-04:00", "2027-11-07T09:00:00-05:00"}, false},
		"from within a gap":       {`{"repeats":"daily","start":"2027-03-14T02:30","count":2}`, "FREQ=DAILY", []string{"2027-03-14T03:30:00-04:00", "2027-03-15T02:30:00-04:00"}, false},
		"on whole days":           {`{"repeats":"FREQ=MONTHLY;BYMONTHDAY=-1;COUNT=2","start":"2027-01-31"}`, "FREQ=MONTHLY;BYMONTHDAY=-1;COUNT=2", []string{"2027-01-31", "2027-02-28"}, true},
		"from now":                {`{"repeats":"rrule:freq=daily","count":1}`, "FREQ=DAILY", []string{"2026-11-22T12:00:00-05:00"}, false},
		"from an instant":         {`{"repeats":"daily","start":"2026-11-22T17:00:00Z","count":1}`, "FREQ=DAILY", []string{"2026-11-22T12:00:00-05:00"}, false},
		"the 31st stays the 31st": {`{"repeats":"monthly","start":"2027-01-31","count":3}`, "FREQ=MONTHLY", []string{"2027-01-31", "2027-03-31", "2027-05-31"}, false},
		"five unless told":        {`{"repeats":"FREQ=YEARLY","start":"2027-01-01"}`, "FREQ=YEARLY", []string{"2027-01-01", "2028-01-01", "2029-01-01", "2030-01-01", "2031-01-01"}, false},
		"a start beside the rule": {`{"repeats":"FREQ=WEEKLY;BYDAY=MO;COUNT=2","start":"2026-11-22"}`, "FREQ=WEEKLY;BYDAY=MO;COUNT=2", []string{"2026-11-22", "2026-11-23"}, true},
		"the first from now on":   {`{"repeats":"FREQ=WEEKLY;BYDAY=MO","count":1}`, "FREQ=WEEKLY;BYDAY=MO", []string{"2026-11-23T12:00:00-05:00"}, false},
	} {
		var got struct {
			TimeZone    string `json:"time_zone"`
			Repeats     string
			Occurrences []string
			Ended       bool
		}
		r := c.send(agenttools.PreviewRecurrence, args("%s", one.input), nil)
		if r.IsError {
			t.Errorf("%s: %s", name, words(r))
			continue
		}
		remarshal(t, r.StructuredContent, &got)
		if got.TimeZone != "America/New_York" || got.Repeats != one.rule || got.Ended != one.ended || !slices.Equal(got.Occurrences, one.want) {
			t.Errorf("%s: %+v", name, got)
		}
	}
	for _, input := range []string{
		`{"repeats":"hourly"}`, `{"repeats":"FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30"}`, `{"repeats":"daily","start":"soon"}`, `{"repeats":"daily","count":51}`, `{}`,
		`{"repeats":"FREQ=DAILY;UNTIL=20200101"}`, `{"repeats":"FREQ=DAILY;UNTIL=20200101","start":"2026-11-22"}`,
	} {
		if f := c.fail(agenttools.PreviewRecurrence, args("%s", input)); f[0].Code != "invalid" {
			t.Errorf("%s: %+v", input, f)
		}
	}
}
