package recurrence_test

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/taskflow-suite/taskflow/pkg/recurrence"
)

func TestARuleIsSaidInWords(t *testing.T) {
	t.Parallel()
	oslo := place(t, "Europe/Oslo")
	start := clock(t, "2026-12-29 09:00") // a Tuesday
	for rule, want := range map[string]string{
		"daily":                                       "every day at 09:00, Europe/Oslo",
		"FREQ=DAILY;INTERVAL=2":                       "every second day at 09:00, Europe/Oslo",
		"FREQ=DAILY;INTERVAL=21":                      "every 21st day at 09:00, Europe/Oslo",
		"FREQ=DAILY;BYMONTH=6,7":                      "every day in June and July at 09:00, Europe/Oslo",
		"weekly":                                      "every Tuesday at 09:00, Europe/Oslo",
		"FREQ=WEEKLY;INTERVAL=2":                      "every second Tuesday at 09:00, Europe/Oslo",
		"FREQ=WEEKLY;INTERVAL=2;BYDAY=TU":             "every second Tuesday at 09:00, Europe/Oslo",
		"FREQ=WEEKLY;BYDAY=TH,MO":                     "every Monday and Thursday at 09:00, Europe/Oslo",
		"FREQ=WEEKLY;INTERVAL=3;BYDAY=MO,TH":          "every third week on Monday and Thursday at 09:00, Europe/Oslo",
		"FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR":            "every weekday at 09:00, Europe/Oslo",
		"FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR,SA,SU":      "every day at 09:00, Europe/Oslo",
		"FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,TU,WE,TH,FR": "every second week on Monday to Friday at 09:00, Europe/Oslo",
		"monthly":                                       "every month on the 29th at 09:00, Europe/Oslo, skipping months without it",
		"FREQ=MONTHLY;BYMONTHDAY=1,15":                  "every month on the 1st and the 15th at 09:00, Europe/Oslo",
		"FREQ=MONTHLY;BYMONTHDAY=-1":                    "every month on the last day at 09:00, Europe/Oslo",
		"FREQ=MONTHLY;BYMONTHDAY=-2":                    "every month on the second to last day at 09:00, Europe/Oslo",
		"FREQ=MONTHLY;BYDAY=2TU":                        "every month on the second Tuesday at 09:00, Europe/Oslo",
		"FREQ=MONTHLY;BYDAY=-1FR":                       "every month on the last Friday at 09:00, Europe/Oslo",
		"FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13":           "every month on the 13th if it is a Friday at 09:00, Europe/Oslo",
		"FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1": "every month on Monday to Friday at 09:00, Europe/Oslo, only the last in each month",
		"FREQ=YEARLY":                                   "every year on 29 December at 09:00, Europe/Oslo",
		"FREQ=YEARLY;BYMONTH=12;BYMONTHDAY=25":          "every year on 25 December at 09:00, Europe/Oslo",
		"FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29":           "every year on 29 February at 09:00, Europe/Oslo, skipping years without it",
		"FREQ=YEARLY;BYMONTH=3;BYDAY=2SU":               "every year on the second Sunday in March at 09:00, Europe/Oslo",
		"FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO":              "every year on Monday in week 20 at 09:00, Europe/Oslo",
		"FREQ=YEARLY;BYYEARDAY=-1":                      "every year on the last day of the year at 09:00, Europe/Oslo",
		"FREQ=DAILY;COUNT=10":                           "every day at 09:00, Europe/Oslo, 10 times",
		"FREQ=DAILY;COUNT=1":                            "every day at 09:00, Europe/Oslo, once",
		"FREQ=DAILY;UNTIL=20271225":                     "every day at 09:00, Europe/Oslo, until 25 December 2027",
		"FREQ=DAILY;UNTIL=20271225T080000Z":             "every day at 09:00, Europe/Oslo, until 25 December 2027 at 09:00",
		"FREQ=DAILY;UNTIL=20271225T103000":              "every day at 09:00, Europe/Oslo, until 25 December 2027 at 10:30",
	} {
		r, err := recurrence.Parse(rule)
		if err != nil {
			t.Errorf("%s: %v", rule, err)
			continue
		}
		if got := r.Words(start, oslo, false); got != want {
			t.Errorf("%s:\ngot  %s\nwant %s", rule, got, want)
		}
	}
	r, err := recurrence.Parse("weekly")
	if err != nil {
		t.Fatal(err)
	}
	if got := r.Words(start, nil, false); got != "every Tuesday" {
		t.Errorf("of whole days: %s", got)
	}
	if got := r.Words(start.Add(30*time.Second), oslo, true); got != "every week at 09:00:30, Europe/Oslo, counted from the day it is done" {
		t.Errorf("from completion: %s", got)
	}
}

// FuzzParse checks that whatever is sent is refused with a reason or has one spelling, a sentence, and few steps to its
// first occurrences.
func FuzzParse(f *testing.F) {
	for _, rule := range hostile() {
		if len(rule) < 300 {
			f.Add(rule, int64(1_763_800_000))
		}
	}
	f.Add("FREQ=YEARLY;BYMONTH=3;BYDAY=2SU,-1MO;WKST=SU;UNTIL=20300101T000000", int64(0))
	f.Fuzz(func(t *testing.T, text string, seconds int64) {
		rule, err := recurrence.Parse(text)
		if err != nil {
			if why := err.Error(); !strings.HasPrefix(why, "must ") || !utf8.ValidString(why) {
				t.Fatalf("%q: %q", text, why)
			}
			return
		}
		if again, err := recurrence.Normal(rule.String()); err != nil || again != rule.String() {
			t.Fatalf("%q is %q, and then %q (%v)", text, rule, again, err)
		}
		start := time.Unix(seconds%(8000*365*86400), 0).UTC()
		if start.Year() < 1 {
			return
		}
		if steps := rule.Steps(start, time.UTC, time.Time{}, 5); steps > maxSteps {
			t.Fatalf("%q from %s takes %d steps", text, start, steps)
		}
		for _, said := range []string{rule.Words(start, time.UTC, false), rule.Words(start, nil, true)} {
			if !strings.HasPrefix(said, "every ") || strings.Contains(said, "  ") {
				t.Fatalf("%q is said as %q", text, said)
			}
		}
	})
}
