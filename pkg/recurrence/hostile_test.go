package recurrence_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/recurrence"
)

// maxSteps is how much the hardest question may cost. A step is a year, a period or a day that is looked at and takes some
// ten nanoseconds; a hundred thousand are well below the 10 ms that a rule may take.
const maxSteps = 100_000

func TestWhyARuleIsRefused(t *testing.T) {
	t.Parallel()
	for rule, want := range map[string]string{
		"":                                       "must be daily, weekly, monthly or an RRULE such as FREQ=WEEKLY;BYDAY=MO,TH",
		"yearly!":                                "must be daily, weekly, monthly or an RRULE such as FREQ=WEEKLY;BYDAY=MO,TH",
		"BYDAY=MO":                               "must be daily, weekly, monthly or an RRULE such as FREQ=WEEKLY;BYDAY=MO,TH",
		"FREQ=WEEKLY;":                           "must be daily, weekly, monthly or an RRULE such as FREQ=WEEKLY;BYDAY=MO,TH",
		"FREQ=SECONDLY":                          "must repeat by day, week, month or year",
		"FREQ=MINUTELY;INTERVAL=1":               "must repeat by day, week, month or year",
		"FREQ=HOURLY":                            "must repeat by day, week, month or year",
		"FREQ=DAILY;BYHOUR=9":                    "must not choose hours, minutes or seconds: the due time does",
		"FREQ=DAILY;COUNT=10001":                 "must have a COUNT of 1 to 10000",
		"FREQ=DAILY;COUNT=0":                     "must have a COUNT of 1 to 10000",
		"FREQ=DAILY;COUNT=99999999999999999999":  "must have a COUNT of 1 to 10000",
		"FREQ=DAILY;INTERVAL=0":                  "must have an INTERVAL of 1 to 1000",
		"FREQ=DAILY;INTERVAL=1001":               "must have an INTERVAL of 1 to 1000",
		"FREQ=DAILY;COUNT=2;UNTIL=20270101":      "must not have both COUNT and UNTIL",
		"FREQ=DAILY;FREQ=WEEKLY":                 "must not have FREQ twice",
		"FREQ=DAILY;UNTIL=20260230":              "must have an UNTIL such as 20261225, 20261225T170000 or 20261225T170000Z",
		"FREQ=WEEKLY;BYDAY=XX":                   "must have BYDAY of MO, TU, WE, TH, FR, SA or SU, or numbered such as 2TU or -1FR",
		"FREQ=WEEKLY;BYDAY=1MO":                  "must not number the weekdays of BYDAY unless it repeats by month or year, without BYWEEKNO",
		"FREQ=MONTHLY;BYDAY=54MO":                "must number the weekdays of BYDAY with 1 to 53 or -53 to -1",
		"FREQ=MONTHLY;BYMONTHDAY=32":             "must have BYMONTHDAY of 1 to 31 or -31 to -1",
		"FREQ=YEARLY;BYMONTH=13":                 "must have BYMONTH of 1 to 12",
		"FREQ=WEEKLY;BYMONTHDAY=1":               "must not have BYMONTHDAY if it repeats by week",
		"FREQ=MONTHLY;BYWEEKNO=1":                "must not have BYWEEKNO unless it repeats by year",
		"FREQ=DAILY;BYYEARDAY=1":                 "must not have BYYEARDAY unless it repeats by year",
		"FREQ=MONTHLY;BYSETPOS=1":                "must not have BYSETPOS without another part to choose from",
		"FREQ=MONTHLY;BYMONTHDAY=1;BYSETPOS=367": "must have BYSETPOS of 1 to 366 or -366 to -1",
		"FREQ=DAILY;SKIP=BACKWARD":               "must not have SKIP, which is no part of an RRULE by day, week, month or year",
		"FREQ=DAILY\nDTSTART=20260101":           "must be one RRULE, without DTSTART",
		"FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30":    "must name days that exist: February has no 30th",
		"FREQ=YEARLY;BYMONTH=4,6;BYMONTHDAY=31":  "must name days that exist: none of the months of BYMONTH has a day of BYMONTHDAY",
		"FREQ=MONTHLY;BYDAY=53MO":                "must name days that exist: no month has a 53rd Monday",
		"FREQ=MONTHLY;BYDAY=-6FR":                "must name days that exist: no month has a sixth Friday from its end",
		"FREQ=WEEKLY;BYDAY=MO,TH;BYSETPOS=3":     "must name days that exist: no week has as many to choose from as BYSETPOS counts",
		"FREQ=YEARLY;BYWEEKNO=1;BYMONTH=6":       "must name days that exist: BYMONTH and BYWEEKNO have none in common",
		"FREQ=YEARLY;BYYEARDAY=366;BYMONTH=1":    "must name days that exist: BYMONTH and BYYEARDAY have none in common",
	} {
		if _, err := recurrence.Parse(rule); errs.Text(err) != want || !errs.Is(err, errs.Invalid) {
			t.Errorf("%q:\ngot  %v\nwant %s", rule, err, want)
		}
	}
}

// hostile are rules meant to hang, to crash or to slip through, most of them made from a few patterns.
func hostile() []string {
	all := []string{
		strings.Repeat("FREQ=DAILY;", 100_000), strings.Repeat("A", 1<<20), strings.Repeat("=", 199), strings.Repeat(";", 199), strings.Repeat(",", 199),
		"FREQ=" + strings.Repeat("DAILY", 39), "FREQ=DAILY;BYDAY=" + strings.Repeat("MO,", 60), "FREQ=MONTHLY;BYMONTHDAY=" + strings.Repeat("1,", 400) + "1",
		"FREQ=DAILY;INTERVAL=" + strings.Repeat("9", 150), "FREQ=DAILY;UNTIL=" + strings.Repeat("0", 150), "FREQ=DAILY;COUNT=-1", "FREQ=DAILY;INTERVAL=-1",
		"FREQ=DAILY;COUNT=1e9", "FREQ=DAILY;INTERVAL=0x10", "FREQ=DAILY;COUNT= 1", "FREQ=DAILY;COUNT=١", "ＦＲＥＱ=DAILY", "FREQ=WEEKLY;BYDAY=ſU", "dailY\u0000", "FREQ=DAİLY",
		"\u202eYLIAD=QERF", "FREQ=DAILY;\u200bCOUNT=1", "e\u0301" + strings.Repeat("\u0301", 60), "\xff\xfe", "FREQ=DAILY\r\nEXDATE:20260101", "RRULE:RRULE:FREQ=DAILY",
		"DTSTART=00010101;FREQ=SECONDLY", "FREQ=DAILY;DTSTART=19700101T000000Z", "FREQ=DAILY;BYEASTER=0", "FREQ=DAILY;BYSECOND=0,1,2,3", "FREQ=DAILY;RSCALE=CHINESE",
		"FREQ=DAILY;UNTIL=99991231T235959Z", "FREQ=DAILY;UNTIL=00000101", "FREQ=YEARLY;INTERVAL=1000", "FREQ=DAILY;COUNT=10000", "FREQ=YEARLY;COUNT=10000",
		"FREQ=MONTHLY;BYDAY=0MO", "FREQ=MONTHLY;BYDAY=+-1MO", "FREQ=MONTHLY;BYDAY=99999MO", "FREQ=MONTHLY;BYDAY=M", "FREQ=MONTHLY;BYDAY=O", "FREQ=;COUNT=1", "=DAILY",
		"FREQ=DAILY;WKST=1MO", "FREQ=DAILY;WKST=", "FREQ=YEARLY;BYWEEKNO=54", "FREQ=YEARLY;BYWEEKNO=0", "FREQ=YEARLY;BYYEARDAY=367", "FREQ=YEARLY;BYSETPOS=0;BYDAY=MO",
	}
	for _, freq := range []string{"DAILY", "MONTHLY", "YEARLY"} {
		for _, interval := range []int{1, 2, 7, 13, 97, 400, 997, 1000} {
			for _, days := range []string{"BYMONTH=2;BYMONTHDAY=30", "BYMONTH=2;BYMONTHDAY=29", "BYMONTH=2;BYMONTHDAY=29;BYDAY=MO", "BYMONTHDAY=31;BYDAY=SU;BYSETPOS=2", "BYMONTH=2;BYMONTHDAY=29;COUNT=10000"} {
				all = append(all, fmt.Sprintf("FREQ=%s;INTERVAL=%d;%s", freq, interval, days))
			}
		}
	}
	for _, interval := range []int{1, 53, 859, 1000} {
		for _, days := range []string{"BYWEEKNO=53;BYMONTH=1;BYDAY=SU", "BYWEEKNO=-53;BYDAY=MO", "BYYEARDAY=366,-366;BYDAY=FR", "BYDAY=53MO;BYSETPOS=366", "BYDAY=53TH,-53TH;BYSETPOS=-1", "BYMONTHDAY=31;BYSETPOS=366"} {
			all = append(all, fmt.Sprintf("FREQ=YEARLY;INTERVAL=%d;%s", interval, days))
		}
		for _, days := range []string{"BYMONTH=2;BYDAY=MO,TU,WE,TH,FR,SA,SU;BYSETPOS=7", "BYDAY=MO;BYSETPOS=7", "BYMONTH=1;BYDAY=SU;BYSETPOS=-1", "BYMONTH=12,1;BYDAY=MO,SU;BYSETPOS=2;WKST=TH"} {
			all = append(all, fmt.Sprintf("FREQ=WEEKLY;INTERVAL=%d;%s", interval, days))
		}
	}
	return all
}

func TestHostileRulesAreRefusedOrBounded(t *testing.T) {
	t.Parallel()
	rules := hostile()
	if len(rules) < 200 {
		t.Fatalf("only %d rules", len(rules))
	}
	zone := place(t, "Australia/Lord_Howe")
	far := time.Date(9998, 12, 30, 0, 0, 0, 0, time.UTC)
	refused, most := 0, 0
	for _, text := range rules {
		rule, err := recurrence.Parse(text)
		if err != nil {
			if !errs.Is(err, errs.Invalid) || len(errs.Text(err)) > 200 {
				t.Errorf("%.60q: %v", text, err)
			}
			refused++
			continue
		}
		for _, start := range []string{"0001-01-01 00:00", "1970-01-01 00:00", "2026-11-22 02:15", "9998-12-31 23:59"} {
			for _, after := range []time.Time{{}, time.Unix(0, 0), far, far.AddDate(1, 0, 0)} {
				for _, n := range []int{1, 20} {
					steps := rule.Steps(clock(t, start), zone, after, n)
					if most = max(most, steps); steps > maxSteps {
						t.Errorf("%s from %s after %s: %d occurrences took %d steps", text, start, after, n, steps)
					}
				}
			}
		}
		if said := rule.Words(clock(t, "2026-11-22 09:00"), zone, false); said == "" || len(said) > 1000 {
			t.Errorf("%s is said in %d bytes", text, len(said))
		}
	}
	t.Logf("%d rules, %d refused, at most %d steps", len(rules), refused, most)
}

func TestRandomPartsAreRefusedOrBounded(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(7, 7))
	start := clock(t, "1970-01-01 00:00")
	for range 5000 {
		text := wideRule(random, start)
		if rule, err := recurrence.Parse(text); err == nil {
			if steps := rule.Steps(start, time.UTC, time.Time{}, 20); steps > maxSteps {
				t.Errorf("%s: %d steps", text, steps)
			}
		}
	}
}

func BenchmarkHostile(b *testing.B) {
	start := clock(b, "1970-01-01 00:00")
	b.Run("slowest", func(b *testing.B) {
		for b.Loop() {
			var slowest time.Duration
			for _, text := range hostile() {
				began := time.Now()
				_, _ = recurrence.Occurrences(text, start, time.UTC, time.Time{}, 20)
				slowest = max(slowest, time.Since(began))
			}
			b.ReportMetric(float64(slowest.Microseconds()), "µs/slowest")
		}
	})
}
