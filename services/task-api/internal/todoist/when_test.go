package todoist_test

import (
	"testing"
	"time"

	"github.com/taskflow-suite/taskflow/pkg/recurrence"
	"github.com/taskflow-suite/taskflow/services/task-api/internal/todoist"
)

// now is a Wednesday, at ten past one.
var now = time.Date(2026, 12, 2, 13, 10, 0, 0, time.UTC)

func TestDatesAreReadAsTodoistMeansThem(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"2026-12-24": "2026-12-24", "2026-12-24 18:00": "2026-12-24 18:00", "2026-12-24T18:00:00Z": "2026-12-24 18:00", "2026/1/5": "2026-01-05",
		"today": "2026-12-02", "Tomorrow": "2026-12-03", "tom 9am": "2026-12-03 09:00", "tomorrow at 14:30": "2026-12-03 14:30",
		"yesterday": "2026-12-01", "tonight": "2026-12-02 19:00", "tomorrow morning": "2026-12-03 09:00", "this evening": "2026-12-02 19:00",
		"monday": "2026-12-07", "wed": "2026-12-02", "this friday": "2026-12-04", "next monday": "2026-12-07", "next friday": "2026-12-11",
		"next week": "2026-12-07", "next month": "2027-01-01", "weekend": "2026-12-05", "in 3 days": "2026-12-05", "+2 weeks": "2026-12-16",
		"in a month": "2027-01-02", "in 1 year at noon": "2027-12-02 12:00",
		"jan 27": "2027-01-27", "27 Jan": "2027-01-27", "january 27th": "2027-01-27", "27th of january 2028": "2028-01-27", "Dec 2": "2026-12-02",
		"dec 1": "2027-12-01", "feb 29": "2028-02-29", "jan 27 at 5pm": "2027-01-27 17:00", "Jan 27, 2028": "2028-01-27", "15th": "2026-12-15", "1st": "2027-01-01",
		"at 12am": "2026-12-03 00:00", "5pm": "2026-12-02 17:00", "12:00": "2026-12-03 12:00", "12pm": "2026-12-03 12:00",

		"every day": "2026-12-02 FREQ=DAILY", "daily": "2026-12-02 FREQ=DAILY", "every day at 9am": "2026-12-03 09:00 FREQ=DAILY",
		"every day at 20:00": "2026-12-02 20:00 FREQ=DAILY", "every morning": "2026-12-03 09:00 FREQ=DAILY", "every 9pm": "2026-12-02 21:00 FREQ=DAILY",
		"every! 3 days": "2026-12-02 FREQ=DAILY;INTERVAL=3 !", "after 10 days": "2026-12-02 FREQ=DAILY;INTERVAL=10 !",
		"every monday at 9am": "2026-12-07 09:00 FREQ=WEEKLY;BYDAY=MO", "every mon, wed, fri": "2026-12-02 FREQ=WEEKLY;BYDAY=MO,WE,FR",
		"every monday and thursday": "2026-12-03 FREQ=WEEKLY;BYDAY=MO,TH", "every other week": "2026-12-02 FREQ=WEEKLY;INTERVAL=2",
		"every other tuesday": "2026-12-15 FREQ=WEEKLY;INTERVAL=2;BYDAY=TU", "every 2 weeks": "2026-12-02 FREQ=WEEKLY;INTERVAL=2",
		"every workday": "2026-12-02 FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR", "every weekday at 8:15": "2026-12-03 08:15 FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR",
		"every weekend": "2026-12-05 FREQ=WEEKLY;BYDAY=SA,SU", "every month": "2026-12-02 FREQ=MONTHLY", "monthly": "2026-12-02 FREQ=MONTHLY",
		"every 15th": "2026-12-15 FREQ=MONTHLY;BYMONTHDAY=15", "every 1st and 15th": "2026-12-15 FREQ=MONTHLY;BYMONTHDAY=1,15",
		"every 15, 30": "2026-12-15 FREQ=MONTHLY;BYMONTHDAY=15,30", "every last day": "2026-12-31 FREQ=MONTHLY;BYMONTHDAY=-1",
		"every 3rd friday": "2026-12-18 FREQ=MONTHLY;BYDAY=3FR", "every last friday of the month": "2026-12-25 FREQ=MONTHLY;BYDAY=-1FR",
		"every first workday": "2027-01-01 FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=1", "every jan 27": "2027-01-27 FREQ=YEARLY;BYMONTH=1;BYMONTHDAY=27",
		"every 27 jan": "2027-01-27 FREQ=YEARLY;BYMONTH=1;BYMONTHDAY=27", "every year": "2026-12-02 FREQ=YEARLY", "every quarter": "2026-12-02 FREQ=MONTHLY;INTERVAL=3",
		"every day starting dec 10": "2026-12-10 FREQ=DAILY", "every day at 9am starting dec 10": "2026-12-10 09:00 FREQ=DAILY",
		"every week until 1 feb": "2026-12-02 FREQ=WEEKLY;UNTIL=20270201", "ev tue 7:30pm": "2026-12-08 19:30 FREQ=WEEKLY;BYDAY=TU",

		"": "", "soon": "", "someday maybe": "", "every hour": "", "every 3 mondays": "", "32nd": "", "feb 30": "", "2026-02-30": "", "day": "",
		"every": "", "every!": "", "tomorrow at 25:00": "", "13pm": "", "every day until yesterday": "", "27/01/2027": "", "jeden Montag": "",
		"every 0 days": "", "every 99999 days": "", "after monday": "", "2026-12-24 25:00": "", "every 45th": "",
	} {
		when, ok := todoist.Parse(text, now)
		got := ""
		if ok {
			got = when.At.Format("2006-01-02")
			if when.HasTime {
				got = when.At.Format("2006-01-02 15:04")
			}
			if when.Rule != "" {
				got += " " + when.Rule
			}
			if when.FromCompletion {
				got += " !"
			}
		}
		if got != want {
			t.Errorf("%q is %q, want %q", text, got, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"every! 3rd fri at 9am until dec 1", "every 1, 15, last", "in 3 months", "tomorrow @ 5pm", "ev other mon starting jan 3", "٣ jan", "2026-12-24T18:00:00.5Z"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		when, ok := todoist.Parse(text, now)
		if !ok {
			return
		}
		if y := when.At.Year(); y < 1970 || y > 9998 {
			t.Errorf("%q is in the year %d", text, y)
		}
		if when.Rule != "" {
			if normal, err := recurrence.Normal(when.Rule); err != nil || normal != when.Rule {
				t.Errorf("%q makes the rule %q: %v", text, when.Rule, err)
			}
		}
	})
}
