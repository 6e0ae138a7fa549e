package recurrence_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/recurrence"
)

func place(t testing.TB, name string) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

// clock is a date and a time of day, in no zone.
func clock(t testing.TB, text string) time.Time {
	t.Helper()
	wall, err := time.Parse("2006-01-02 15:04", text)
	if err != nil {
		t.Fatal(err)
	}
	return wall
}

func TestOccurrencesFollowTheClockOfTheZone(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		rule, zone, start string
		want              []string // RFC 3339 in the zone, as many as are asked for
	}{
		"nine o'clock stays nine when New York's summer begins": {
			"daily", "America/New_York", "2026-03-07 09:00",
			[]string{"2026-03-07T09:00:00-05:00", "2026-03-08T09:00:00-04:00", "2026-03-09T09:00:00-04:00"},
		},
		"nine o'clock stays nine when New York's summer ends": {
			"daily", "America/New_York", "2026-10-31 09:00",
			[]string{"2026-10-31T09:00:00-04:00", "2026-11-01T09:00:00-05:00", "2026-11-02T09:00:00-05:00"},
		},
		"half past two moves forward on the day that has none": {
			"daily", "America/New_York", "2026-03-07 02:30",
			[]string{"2026-03-07T02:30:00-05:00", "2026-03-08T03:30:00-04:00", "2026-03-09T02:30:00-04:00"},
		},
		"half past one is the first on the day that has two": {
			"daily", "America/New_York", "2026-10-31 01:30",
			[]string{"2026-10-31T01:30:00-04:00", "2026-11-01T01:30:00-04:00", "2026-11-02T01:30:00-05:00"},
		},
		"a series that begins in the gap goes back to its time": {
			"daily", "Europe/Oslo", "2026-03-29 02:15",
			[]string{"2026-03-29T03:15:00+02:00", "2026-03-30T02:15:00+02:00"},
		},
		"Oslo's two o'clock in October is the first": {
			"FREQ=WEEKLY;BYDAY=SU", "Europe/Oslo", "2026-10-18 02:00",
			[]string{"2026-10-18T02:00:00+02:00", "2026-10-25T02:00:00+02:00", "2026-11-01T02:00:00+01:00"},
		},
		"Lord Howe's clocks jump by half an hour": {
			"daily", "Australia/Lord_Howe", "2026-10-03 02:15",
			[]string{"2026-10-03T02:15:00+10:30", "2026-10-04T02:45:00+11:00", "2026-10-05T02:15:00+11:00"},
		},
		"Lord Howe's repeated half hour is the first": {
			"daily", "Australia/Lord_Howe", "2026-04-04 01:45",
			[]string{"2026-04-04T01:45:00+11:00", "2026-04-05T01:45:00+11:00", "2026-04-06T01:45:00+10:30"},
		},
		"Karachi has no summer time": {
			"FREQ=WEEKLY;BYDAY=MO,TH", "Asia/Karachi", "2026-03-05 17:00",
			[]string{"2026-03-05T17:00:00+05:00", "2026-03-09T17:00:00+05:00", "2026-03-12T17:00:00+05:00"},
		},
		"midnight moves forward where summer begins at midnight": {
			"daily", "Africa/Cairo", "2026-04-23 00:00",
			[]string{"2026-04-23T00:00:00+02:00", "2026-04-24T01:00:00+03:00", "2026-04-25T00:00:00+03:00"},
		},
		"a day that Apia skipped is no second occurrence": {
			"daily", "Pacific/Apia", "2011-12-29 09:00",
			[]string{"2011-12-29T09:00:00-10:00", "2011-12-31T09:00:00+14:00", "2012-01-01T09:00:00+14:00"},
		},
		"the 31st stays the 31st": {
			"monthly", "Europe/Oslo", "2026-01-31 08:00",
			[]string{"2026-01-31T08:00:00+01:00", "2026-03-31T08:00:00+02:00", "2026-05-31T08:00:00+02:00"},
		},
		"the last day is the last of each month": {
			"FREQ=MONTHLY;BYMONTHDAY=-1", "Europe/Oslo", "2027-12-31 08:00",
			[]string{"2027-12-31T08:00:00+01:00", "2028-01-31T08:00:00+01:00", "2028-02-29T08:00:00+01:00", "2028-03-31T08:00:00+02:00"},
		},
		"a leap day is in leap years": {
			"FREQ=YEARLY", "UTC", "2096-02-29 12:00",
			[]string{"2096-02-29T12:00:00Z", "2104-02-29T12:00:00Z"},
		},
		"every other week counts from the week of the start": {
			"FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,FR", "UTC", "2026-11-20 10:00", // a Friday
			[]string{"2026-11-20T10:00:00Z", "2026-11-30T10:00:00Z", "2026-12-04T10:00:00Z"},
		},
		"the week may begin on Sunday (RFC 5545, 3.8.5.3)": {
			"FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=SU", "UTC", "1997-08-05 09:00",
			[]string{"1997-08-05T09:00:00Z", "1997-08-17T09:00:00Z", "1997-08-19T09:00:00Z", "1997-08-31T09:00:00Z"},
		},
		"the last Friday": {
			"FREQ=MONTHLY;BYDAY=-1FR", "UTC", "2026-11-01 10:00",
			[]string{"2026-11-27T10:00:00Z", "2026-12-25T10:00:00Z"},
		},
		"the last working day": {
			"FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1", "UTC", "2026-11-01 10:00",
			[]string{"2026-11-30T10:00:00Z", "2026-12-31T10:00:00Z", "2027-01-29T10:00:00Z"},
		},
		"week 53 is in years that have it": {
			"FREQ=YEARLY;BYWEEKNO=53;BYDAY=WE", "UTC", "2026-01-01 10:00",
			[]string{"2026-12-30T10:00:00Z", "2032-12-29T10:00:00Z"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			zone := place(t, c.zone)
			found, err := recurrence.Occurrences(c.rule, clock(t, c.start), zone, time.Time{}, len(c.want))
			if err != nil {
				t.Fatal(err)
			}
			if got := stamps(found, zone); !slices.Equal(got, c.want) {
				t.Errorf("got  %v\nwant %v", got, c.want)
			}
		})
	}
}

func stamps(times []time.Time, zone *time.Location) []string {
	var texts []string
	for _, at := range times {
		texts = append(texts, at.In(zone).Format(time.RFC3339))
	}
	return texts
}

func TestARuleEndsWhereItSays(t *testing.T) {
	t.Parallel()
	oslo := place(t, "Europe/Oslo")
	for name, c := range map[string]struct {
		rule string
		last string
		want int
	}{
		"after COUNT occurrences":       {"FREQ=DAILY;COUNT=3", "2026-11-24T00:30:00+01:00", 3},
		"on the whole day of UNTIL":     {"FREQ=DAILY;UNTIL=20261125", "2026-11-25T00:30:00+01:00", 4},
		"at the clock's time of UNTIL":  {"FREQ=DAILY;UNTIL=20261125T003000", "2026-11-25T00:30:00+01:00", 4},
		"before the clock's UNTIL":      {"FREQ=DAILY;UNTIL=20261125T002959", "2026-11-24T00:30:00+01:00", 3},
		"at the instant of UNTIL":       {"FREQ=DAILY;UNTIL=20261124T233000Z", "2026-11-25T00:30:00+01:00", 4},
		"before the instant of UNTIL":   {"FREQ=DAILY;UNTIL=20261124T232959Z", "2026-11-24T00:30:00+01:00", 3},
		"with COUNT days of the months": {"FREQ=MONTHLY;BYMONTHDAY=1,-1;COUNT=3", "2026-12-31T00:30:00+01:00", 3},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			found, err := recurrence.Occurrences(c.rule, clock(t, "2026-11-22 00:30"), oslo, time.Time{}, 10)
			if err != nil {
				t.Fatal(err)
			}
			got := stamps(found, oslo)
			if len(got) != c.want || got[len(got)-1] != c.last {
				t.Errorf("got %v", got)
			}
		})
	}
}

func TestWhatComesAfterIsAPartOfTheWhole(t *testing.T) {
	t.Parallel()
	zone := place(t, "America/New_York")
	start := clock(t, "2024-01-31 02:30")
	for _, rule := range []string{
		"daily", "weekly", "monthly", "FREQ=YEARLY", "FREQ=DAILY;INTERVAL=7", "FREQ=WEEKLY;INTERVAL=3;BYDAY=SU,WE;WKST=SU",
		"FREQ=MONTHLY;INTERVAL=5;BYMONTHDAY=-1,15", "FREQ=YEARLY;INTERVAL=2;BYMONTH=3;BYDAY=2SU", "FREQ=DAILY;COUNT=400", "FREQ=WEEKLY;UNTIL=20270101",
	} {
		all, err := recurrence.Occurrences(rule, start, zone, time.Time{}, 300)
		if err != nil {
			t.Fatal(err)
		}
		for i, at := range all {
			for _, after := range []time.Time{at, at.Add(-time.Nanosecond)} {
				want := all[i:]
				if after.Equal(at) {
					want = all[i+1:]
				}
				if want = want[:min(len(want), 3)]; len(want) == 0 {
					continue
				}
				if got, err := recurrence.Occurrences(rule, start, zone, after, len(want)); err != nil || !slices.EqualFunc(got, want, time.Time.Equal) {
					t.Fatalf("%s after %s: %v, %v instead of %v", rule, after, got, err, want)
				}
			}
		}
	}
}

func TestTheEndOfTimeIsReached(t *testing.T) {
	t.Parallel()
	// However far away the time that is asked for is.
	found, err := recurrence.Occurrences("daily", clock(t, "1970-01-01 09:00"), time.UTC, time.Date(9990, 1, 1, 0, 0, 0, 0, time.UTC), 1)
	if err != nil || len(found) != 1 {
		t.Errorf("in the year 9990: %v, %v", found, err)
	}
	if found, err = recurrence.Occurrences("FREQ=YEARLY;INTERVAL=1000", clock(t, "9000-01-01 09:00"), time.UTC, time.Time{}, 5); err != nil || len(found) != 1 {
		t.Errorf("at the end of time: %v, %v", found, err)
	}
}

func TestWhatCannotBeExpandedIsRefused(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, -1, recurrence.MaxOccurrences + 1} {
		if _, err := recurrence.Occurrences("daily", time.Now(), time.UTC, time.Time{}, n); !errs.Is(err, errs.Invalid) {
			t.Errorf("%d occurrences: %v", n, err)
		}
	}
	for _, rule := range []string{
		"", "hourly", "FREQ=HOURLY", "FREQ=WEEKLY;BYDAY=1MO", "FREQ=YEARLY;BYWEEKNO=1;BYDAY=1MO", "FREQ=MONTHLY;BYMONTHDAY=32", "FREQ=MONTHLY;BYDAY=54MO",
		"FREQ=YEARLY;BYMONTH=13", "FREQ=DAILY;COUNT=1;UNTIL=20270101", "FREQ=DAILY;UNTIL=tomorrow", "FREQ=DAILY;INTERVAL=1001",
	} {
		if _, err := recurrence.Occurrences(rule, time.Now(), time.UTC, time.Time{}, 1); !errs.Is(err, errs.Invalid) || strings.Contains(errs.Text(err), "rrule") {
			t.Errorf("%q: %v", rule, err)
		}
	}
}

func TestARuleHasOneSpelling(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]string{
		"daily": "FREQ=DAILY", " Weekly ": "FREQ=WEEKLY", "MONTHLY": "FREQ=MONTHLY",
		"rrule:freq=weekly;byday=mo": "FREQ=WEEKLY;BYDAY=MO", "RRULE:FREQ=YEARLY": "FREQ=YEARLY", " FREQ=DAILY ": "FREQ=DAILY",
	} {
		got, err := recurrence.Normal(given)
		if err != nil || got != want {
			t.Errorf("%q is %q (%v)", given, got, err)
		}
		if again, err := recurrence.Normal(got); err != nil || again != got {
			t.Errorf("%q is %q (%v) the second time", got, again, err)
		}
	}
}

func BenchmarkOccurrences(b *testing.B) {
	oslo := place(b, "Europe/Oslo")
	start, after := clock(b, "2000-01-31 09:00"), time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	for _, rule := range []string{
		"daily", "weekly", "monthly", "FREQ=YEARLY", // simple
		"FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1", "FREQ=YEARLY;BYWEEKNO=53;BYDAY=SU", "FREQ=DAILY;COUNT=10000", // hard
		"FREQ=YEARLY;INTERVAL=3;BYMONTH=2;BYMONTHDAY=29;BYDAY=MO", "FREQ=WEEKLY;INTERVAL=7;BYMONTH=2;BYDAY=MO,TU;BYSETPOS=2", "FREQ=DAILY;INTERVAL=999;BYMONTH=2;BYMONTHDAY=29",
	} {
		b.Run(rule, func(b *testing.B) {
			for b.Loop() {
				if _, err := recurrence.Occurrences(rule, start, oslo, after, 1); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
