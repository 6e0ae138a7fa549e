package recurrence_test

import (
	"slices"
	"testing"
	"time"

	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/recurrence"
)

func parse(t testing.TB, text string) *recurrence.Rule {
	t.Helper()
	rule, err := recurrence.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return rule
}

// following are the first n that come after a time of the clock.
func following(rule *recurrence.Rule, start time.Time, zone *time.Location, after time.Time, n int) (found []time.Time) {
	for wall := range rule.Walls(start, zone, after) {
		if found = append(found, wall); len(found) == n {
			break
		}
	}
	return found
}

func TestOnTheClockItRepeatsWhenItRepeats(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"daily", "FREQ=WEEKLY;INTERVAL=3", "FREQ=MONTHLY;BYMONTHDAY=-1", "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1", "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29",
		"FREQ=DAILY;COUNT=7", "FREQ=DAILY;UNTIL=20270105", "FREQ=DAILY;UNTIL=20270105T090000Z", "FREQ=DAILY;UNTIL=20270105T085959Z",
	} {
		for _, name := range []string{"UTC", "Europe/Oslo", "Pacific/Auckland", "America/Santiago"} {
			rule, zone := parse(t, text), place(t, name)
			// A start that the rule selects.
			first, err := rule.Occurrences(clock(t, "2026-12-31 09:00"), zone, time.Time{}, 1)
			if err != nil {
				t.Fatal(err)
			}
			start := first[0].In(zone)
			want, err := rule.Occurrences(start, zone, time.Time{}, 10)
			if err != nil {
				t.Fatal(err)
			}
			var got []time.Time
			for _, wall := range following(rule, start, zone, time.Time{}, 10) {
				got = append(got, recurrence.Instant(wall, zone).UTC())
			}
			if !slices.EqualFunc(got, want, time.Time.Equal) {
				t.Errorf("%s in %s:\ngot  %v\nwant %v", text, name, got, want)
			}
			for i, wall := range following(rule, start, zone, time.Time{}, 10) {
				rest := following(rule, start, zone, wall, 10)
				if i+1 < len(want) && (len(rest) == 0 || !recurrence.Instant(rest[0], zone).Equal(want[i+1])) {
					t.Errorf("%s in %s: after %v comes %v", text, name, wall, rest)
				}
			}
		}
	}
}

func TestTheStartIsTheFirstWhateverTheRule(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]string{
		"FREQ=WEEKLY;BYDAY=MO":                {"2026-11-25 09:00", "2026-11-30 09:00", "2026-12-07 09:00"},
		"FREQ=WEEKLY;BYDAY=MO;COUNT=2":        {"2026-11-25 09:00", "2026-11-30 09:00"},
		"FREQ=WEEKLY;BYDAY=MO;COUNT=1":        {"2026-11-25 09:00"},
		"FREQ=WEEKLY;BYDAY=MO;UNTIL=20261129": {"2026-11-25 09:00"},
		"FREQ=WEEKLY;BYDAY=MO;UNTIL=20201129": {"2026-11-25 09:00"},
		"FREQ=WEEKLY;BYDAY=WE;COUNT=2":        {"2026-11-25 09:00", "2026-12-02 09:00"},
	} {
		var got []string
		for _, wall := range following(parse(t, text), clock(t, "2026-11-25 09:00"), time.UTC, time.Time{}, 3) {
			got = append(got, wall.Format("2006-01-02 15:04"))
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", text, got, want)
		}
	}
}

func TestASeriesIsItsStartAndWhatFollows(t *testing.T) {
	t.Parallel()
	oslo := place(t, "Europe/Oslo")
	for _, c := range []struct {
		rule           string
		fromCompletion bool
		want           []string
	}{
		{"FREQ=WEEKLY;BYDAY=MO", false, []string{"2026-11-25", "2026-11-30", "2026-12-07", "2026-12-14"}},
		{"FREQ=WEEKLY;BYDAY=MO;COUNT=2", false, []string{"2026-11-25", "2026-11-30"}},
		{"FREQ=WEEKLY;BYDAY=MO;COUNT=2", true, []string{"2026-11-25", "2026-11-30"}},
		{"FREQ=WEEKLY;BYDAY=MO;COUNT=1", false, []string{"2026-11-25"}},
		{"FREQ=WEEKLY;BYDAY=MO;COUNT=1", true, []string{"2026-11-25"}},
		{"FREQ=WEEKLY;BYDAY=WE;COUNT=2", false, []string{"2026-11-25", "2026-12-02"}},
		{"FREQ=DAILY;INTERVAL=3;UNTIL=20261201", true, []string{"2026-11-25", "2026-11-28", "2026-12-01"}},
		{"FREQ=WEEKLY;BYDAY=MO;UNTIL=20261129", false, nil},
		{"FREQ=WEEKLY;BYDAY=MO;UNTIL=20261129", true, nil},
		{"FREQ=DAILY;UNTIL=20261125T075959Z", false, nil},
		{"FREQ=DAILY;UNTIL=20261125T080000Z", true, []string{"2026-11-25"}},
	} {
		found, err := parse(t, c.rule).Series(clock(t, "2026-11-25 09:00"), oslo, c.fromCompletion, 4)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, at := range found {
			if at.In(oslo).Hour() != 9 {
				t.Errorf("%s is at %v", c.rule, at.In(oslo))
			}
			got = append(got, at.In(oslo).Format(time.DateOnly))
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s (%t): %v, want %v", c.rule, c.fromCompletion, got, c.want)
		}
	}
	for what, c := range map[string]struct {
		start time.Time
		n     int
	}{"none": {clock(t, "2026-11-25 09:00"), 0}, "too many": {clock(t, "2026-11-25 09:00"), recurrence.MaxOccurrences + 1}, "too late": {time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC), 1}} {
		if found, err := parse(t, "daily").Series(c.start, oslo, true, c.n); !errs.Is(err, errs.Invalid) {
			t.Errorf("%s: %v, %v", what, found, err)
		}
	}
	if first, ok := parse(t, "daily").First(time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC), oslo); ok {
		t.Errorf("before all years it begins at %v", first)
	}
}

func TestFromItsCompletionItIsTheSameTimeOfDay(t *testing.T) {
	t.Parallel()
	oslo := place(t, "Europe/Oslo")
	rule := parse(t, "FREQ=DAILY;COUNT=1")
	// Half past two is missing on the 29th: what is shown then is not what the task repeats at.
	wall, ok := rule.FromCompletion(clock(t, "2026-03-01 02:30"), oslo, time.Date(2026, 3, 28, 12, 0, 0, 0, time.UTC))
	if got := wall.Format("2006-01-02 15:04"); !ok || got != "2026-03-29 02:30" {
		t.Errorf("it is %s (%t)", got, ok)
	}
	if _, ok := parse(t, "FREQ=DAILY;UNTIL=20260328").FromCompletion(clock(t, "2026-03-01 02:30"), oslo, time.Date(2026, 3, 28, 12, 0, 0, 0, time.UTC)); ok {
		t.Error("it goes on after its end")
	}
}

func TestARuleTakesAnotherCount(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		rule string
		n    int
		want string
	}{
		{"FREQ=DAILY;COUNT=5;INTERVAL=2", 3, "FREQ=DAILY;INTERVAL=2;COUNT=3"}, {"daily", 1, "FREQ=DAILY;COUNT=1"}, {"FREQ=DAILY;COUNT=5", 0, "FREQ=DAILY"},
	} {
		before := parse(t, c.rule)
		rule := before.WithCount(c.n)
		if rule.String() != c.want || rule.Count() != c.n || parse(t, rule.String()).Count() != c.n {
			t.Errorf("%s with %d is %s", c.rule, c.n, rule)
		}
		if before.Count() != parse(t, c.rule).Count() {
			t.Errorf("%s became %s", c.rule, before)
		}
	}
}

// BenchmarkNext is what a series asks whenever it goes on: what comes after the last, and when that is.
func BenchmarkNext(b *testing.B) {
	oslo := place(b, "Europe/Oslo")
	start, after := clock(b, "2020-01-31 09:00"), clock(b, "2026-11-22 09:00")
	for _, text := range []string{
		"daily", "FREQ=WEEKLY;BYDAY=MO,TH", "FREQ=MONTHLY;BYMONTHDAY=-1", // simple
		"FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1", "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29;BYDAY=MO", "FREQ=DAILY;COUNT=10000", // hard
	} {
		b.Run(text, func(b *testing.B) {
			for b.Loop() {
				rule := parse(b, text)
				for wall := range rule.Walls(start, oslo, after) {
					if recurrence.Instant(wall, oslo).Before(after) {
						b.Fatal(wall)
					}
					break
				}
			}
		})
	}
}
