package offline

import (
	"testing"
	"time"
)

func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	loc, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return loc
}

func local(t testing.TB, place, at string) time.Time {
	t.Helper()
	now, err := time.ParseInLocation("2006-01-02 15:04", at, zone(t, place))
	if err != nil {
		t.Fatal(err)
	}
	return now
}

// Sunday, 22 November 2026, 15:00 in Karachi unless it says otherwise.
func TestDatesAreReadAsPeopleSayThem(t *testing.T) {
	t.Parallel()
	now := local(t, "Asia/Karachi", "2026-11-22 15:00")
	for say, want := range map[string]string{
		"today": "2026-11-22", "tomorrow": "2026-11-23", "day after tomorrow": "2026-11-24", "the day after tomorrow at 9am": "2026-11-24T09:00:00+05:00",
		"tonight": "2026-11-22T20:00:00+05:00", "tonight at 8": "2026-11-22T20:00:00+05:00", "tomorrow morning": "2026-11-23T09:00:00+05:00",
		"tomorrow at 5pm": "2026-11-23T17:00:00+05:00", "5pm tomorrow": "2026-11-23T17:00:00+05:00", "tomorrow at 5:30 p.m.": "2026-11-23T17:30:00+05:00",
		"at 5pm": "2026-11-22T17:00:00+05:00", "at 17:00": "2026-11-22T17:00:00+05:00", "at 5": "2026-11-22T17:00:00+05:00", "at 9": "2026-11-23T09:00:00+05:00",
		"at noon": "2026-11-23T12:00:00+05:00", "tomorrow noon": "2026-11-23T12:00:00+05:00", "at midnight": "2026-11-23T00:00:00+05:00",
		"friday at midnight": "2026-11-28T00:00:00+05:00", "12am tomorrow": "2026-11-23T00:00:00+05:00", "tomorrow at 12pm": "2026-11-23T12:00:00+05:00",
		"in 3 days": "2026-11-25", "in two weeks": "2026-12-06", "in a month": "2026-12-22", "in 2 hours": "2026-11-22T17:00:00+05:00", "in half an hour": "2026-11-22T15:30:00+05:00",
		"3 days from now": "2026-11-25", "next friday": "2026-11-27", "on friday": "2026-11-27", "by friday": "2026-11-27", "on fri": "2026-11-27",
		"this sunday": "2026-11-22", "next sunday": "2026-11-29", "friday 3pm": "2026-11-27T15:00:00+05:00", "on friday, at 3 pm": "2026-11-27T15:00:00+05:00",
		"25 December": "2026-12-25", "Dec 25": "2026-12-25", "on the 25th of December": "2026-12-25", "1 January": "2027-01-01", "December 25th, 2027": "2027-12-25",
		"29 February": "2028-02-29", "on 2026-12-01": "2026-12-01", "25/12/2026": "2026-12-25", "12/25/2026": "2026-12-25", "05/05/2027": "2027-05-05", "1.12.2026": "2026-12-01",
		"on the 5th": "2026-12-05", "on the 22nd": "2026-11-22", "end of the month": "2026-11-30", "by the end of next month": "2026-12-31", "end of the year": "2026-12-31",
		"next week": "2026-11-23", "next month": "2026-12-01", "this weekend": "2026-11-28", "due tomorrow": "2026-11-23", "due on 1 December at 10:15": "2026-12-01T10:15:00+05:00",
	} {
		t.Run(say, func(t *testing.T) {
			t.Parallel()
			words := read(say).words
			m, next, ok := whenAt(words, 0, now)
			for ok && next < len(words) && words[next].kind == mark {
				next++
			}
			if !ok || next != len(words) || m.due(now) != want {
				t.Errorf("got %q after %d of %d words, want %q", m.due(now), next, len(words), want)
			}
		})
	}
}

func TestAmbiguousDatesAreAsked(t *testing.T) {
	t.Parallel()
	now := local(t, "UTC", "2026-11-22 15:00")
	for _, say := range []string{"12/01/2026", "on 1/2/2027", "by 03/04/2027"} {
		m, _, ok := whenAt(read(say).words, 0, now)
		if !ok || m.unclear == "" || m.due(now) != "" {
			t.Errorf("%s is %+v", say, m)
		}
	}
}

func TestWhatIsNoDateStaysInTheTitle(t *testing.T) {
	t.Parallel()
	now := local(t, "Asia/Karachi", "2026-11-22 15:00")
	for _, title := range []string{
		"check money", "buy paprika", "read The 5th Wave", "celebrate Black Friday", "finish the Friday report", "read Daily Mail", "write weekly report",
		"meet at 5 places", "sit in the sun", "draw the cat that sat there", "march 30 miles a", "buy 12 eggs", "run 5 km", "watch Midnight in Paris",
		"second opinion", "may be late", "order 2 for 1 pizza", "mix 1/2 cup", "compare version 1.2.3", "say thanks to Wed", "ring 555-1234",
		"read about the day", "book room 17", "do everything", "clean every window", "urgent care visit", "take a priority seat",
	} {
		t.Run(title, func(t *testing.T) {
			t.Parallel()
			s := read(title)
			d := draftOf(s, 0, len(s.words), now)
			if d.title != title || d.due(now) != "" || d.repeats.unit != "" || d.priority != "" {
				t.Errorf("title %q, due %q, rule %+v, priority %q", d.title, d.due(now), d.repeats, d.priority)
			}
		})
	}
}

func TestTimesAreThoseOfTheUsersClocks(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ place, now, say, want string }{
		"the day before the clocks go forward":          {"America/New_York", "2027-03-13 12:00", "tomorrow at 9am", "2027-03-14T09:00:00-04:00"},
		"a time that the clocks skip is moved forward":  {"America/New_York", "2027-03-13 12:00", "tomorrow at 2:30am", "2027-03-14T03:30:00-04:00"},
		"a time that comes twice is the first":          {"America/New_York", "2026-10-31 12:00", "tomorrow at 1:30am", "2026-11-01T01:30:00-04:00"},
		"after the clocks went back":                    {"America/New_York", "2026-10-31 12:00", "tomorrow at noon", "2026-11-01T12:00:00-05:00"},
		"hours are counted, not shown":                  {"America/New_York", "2026-11-01 00:30", "in 2 hours", "2026-11-01T01:30:00-05:00"},
		"in London the gap is at one":                   {"Europe/London", "2027-03-27 10:00", "tomorrow at 1:15am", "2027-03-28T02:15:00+01:00"},
		"half an hour on Lord Howe":                     {"Australia/Lord_Howe", "2026-10-03 10:00", "tomorrow at 2:15am", "2026-10-04T02:45:00+11:00"},
		"midnight that the clocks skip":                 {"America/Havana", "2027-03-13 10:00", "today at midnight", "2027-03-14T01:00:00-04:00"},
		"quarter hours of Kathmandu":                    {"Asia/Kathmandu", "2026-11-22 10:00", "at 5pm", "2026-11-22T17:00:00+05:45"},
		"the far side of the date line":                 {"Pacific/Kiritimati", "2026-12-31 23:59", "tomorrow at 00:30", "2027-01-01T00:30:00+14:00"},
		"a day that Samoa skipped":                      {"Pacific/Apia", "2011-12-29 12:00", "tomorrow at noon", "2011-12-31T12:00:00+14:00"},
		"weeks go on over the change":                   {"Europe/Oslo", "2026-10-24 18:00", "in a week", "2026-10-31"},
		"a month from the 31st is the end of the next":  {"Europe/Oslo", "2027-01-31 18:00", "in a month", "2027-02-28"},
		"five o'clock that has passed is tomorrow's":    {"Europe/Oslo", "2026-10-24 18:00", "at 5pm", "2026-10-25T17:00:00+01:00"},
		"the end of a month of 28 days":                 {"Europe/Oslo", "2027-02-03 18:00", "end of the month", "2027-02-28"},
		"friday said on a friday is the next":           {"Europe/Oslo", "2026-11-27 08:00", "on friday", "2026-12-04"},
		"the 31st said in a month without one is later": {"Europe/Oslo", "2026-11-05 08:00", "on the 31st", "2026-12-31"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			now := local(t, c.place, c.now)
			m, _, ok := whenAt(read(c.say).words, 0, now)
			if got := m.due(now); !ok || got != c.want {
				t.Errorf("%s, said at %s in %s, is %s, want %s", c.say, c.now, c.place, got, c.want)
			}
		})
	}
}

func TestRulesAreReadAsPeopleSayThem(t *testing.T) {
	t.Parallel()
	now := local(t, "Asia/Karachi", "2026-11-22 15:00")
	for say, want := range map[string][3]string{ // rule, due, counted from
		"daily":                           {"FREQ=DAILY", "2026-11-22", ""},
		"every day at 9am":                {"FREQ=DAILY", "2026-11-23T09:00:00+05:00", ""},
		"each day":                        {"FREQ=DAILY", "2026-11-22", ""},
		"every weekday":                   {"FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR", "2026-11-23", ""},
		"every Monday":                    {"FREQ=WEEKLY;BYDAY=MO", "2026-11-23", ""},
		"every Monday and Thursday":       {"FREQ=WEEKLY;BYDAY=MO,TH", "2026-11-23", ""},
		"every Mon, Wed and Fri at 7":     {"FREQ=WEEKLY;BYDAY=MO,WE,FR", "2026-11-23T07:00:00+05:00", ""},
		"on Mondays":                      {"FREQ=WEEKLY;BYDAY=MO", "2026-11-23", ""},
		"every 2 weeks":                   {"FREQ=WEEKLY;INTERVAL=2", "2026-11-22", ""},
		"every other week on Tuesday":     {"FREQ=WEEKLY;INTERVAL=2;BYDAY=TU", "2026-11-24", ""},
		"weekly on friday":                {"FREQ=WEEKLY;BYDAY=FR", "2026-11-27", ""},
		"monthly":                         {"FREQ=MONTHLY", "2026-11-22", ""},
		"every month on the 31st":         {"FREQ=MONTHLY;BYMONTHDAY=31", "2026-12-31", ""},
		"on the 1st and 15th every month": {"FREQ=MONTHLY;BYMONTHDAY=1,15", "2026-12-01", ""},
		"every month on the last day":     {"FREQ=MONTHLY;BYMONTHDAY=-1", "2026-11-30", ""},
		"on the last day of each month":   {"FREQ=MONTHLY;BYMONTHDAY=-1", "2026-11-30", ""},
		"every first Monday of the month": {"FREQ=MONTHLY;BYDAY=1MO", "2026-12-07", ""},
		"every last friday of the month":  {"FREQ=MONTHLY;BYDAY=-1FR", "2026-11-27", ""},
		"yearly":                          {"FREQ=YEARLY", "2026-11-22", ""},
		"every year on 25 December":       {"FREQ=YEARLY;BYMONTH=12;BYMONTHDAY=25", "2026-12-25", ""},
		"every 25 December":               {"FREQ=YEARLY;BYMONTH=12;BYMONTHDAY=25", "2026-12-25", ""},
		"every 3 days after I finish it":  {"FREQ=DAILY;INTERVAL=3", "2026-11-22", "completion"},
		"weekly, once I complete it":      {"FREQ=WEEKLY", "2026-11-22", "completion"},
		"every day for 10 times":          {"FREQ=DAILY;COUNT=10", "2026-11-22", ""},
		"every Monday at 9am until 25 December": {
			"FREQ=WEEKLY;BYDAY=MO;UNTIL=20261225", "2026-11-23T09:00:00+05:00", "",
		},
		"every morning":                 {"FREQ=DAILY", "2026-11-23T09:00:00+05:00", ""},
		"tomorrow at 5pm, every Monday": {"FREQ=WEEKLY;BYDAY=MO", "2026-11-23T17:00:00+05:00", ""},
		"every weekend":                 {"FREQ=WEEKLY;BYDAY=SA,SU", "2026-11-22", ""},
	} {
		t.Run(say, func(t *testing.T) {
			t.Parallel()
			s := read("buy milk " + say)
			got := draftOf(s, 0, len(s.words), now).newTask(now)
			if got.Title != "buy milk" || [3]string{got.Repeats, got.Due, got.RepeatsFrom} != want {
				t.Errorf("got %+v, want %q", got, want)
			}
		})
	}
}
