package recurrence_test

import (
	"slices"
	"testing"
	"time"

	"github.com/taskflow-suite/taskflow/pkg/recurrence"
)

// TestComplaints are what went wrong for people elsewhere, each named after it and after the thread that tells it.
func TestComplaints(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		rule, zone, start string
		want              []string // RFC 3339 in the zone, as many as are asked for
	}{
		// Clocks and zones.
		"a weekly task at 23:59 moved to 22:59 with the season (taskwarrior#75)": {
			"FREQ=WEEKLY;BYDAY=SU", "Europe/Berlin", "2010-10-24 23:59",
			[]string{"2010-10-24T23:59:00+02:00", "2010-10-31T23:59:00+01:00", "2010-11-07T23:59:00+01:00"},
		},
		"midnight became 23:00 of the day before after summer (taskwarrior#1880)": {
			"FREQ=WEEKLY;BYDAY=TU", "Europe/Berlin", "2016-10-25 00:00",
			[]string{"2016-10-25T00:00:00+02:00", "2016-11-01T00:00:00+01:00"},
		},
		"a daily task came back on the same day when New Zealand's summer began (tasks#1634)": {
			"daily", "Pacific/Auckland", "2021-09-25 00:00",
			[]string{"2021-09-25T00:00:00+12:00", "2021-09-26T00:00:00+12:00", "2021-09-27T00:00:00+13:00"},
		},
		"a daily task came back on the same day when Australia's summer began (obsidian-tasks#2309)": {
			"daily", "Australia/Melbourne", "2023-09-30 00:00",
			[]string{"2023-09-30T00:00:00+10:00", "2023-10-01T00:00:00+10:00", "2023-10-02T00:00:00+11:00"},
		},
		"Chile's clocks went back at midnight and the day came twice (tasks#2239)": {
			"daily", "America/Santiago", "2023-04-01 23:30",
			[]string{"2023-04-01T23:30:00-03:00", "2023-04-02T23:30:00-04:00"},
		},
		"06:45 became 05:45 and stayed there (donetick#808, donetick#595)": {
			"daily", "Europe/Berlin", "2026-10-24 06:45",
			[]string{"2026-10-24T06:45:00+02:00", "2026-10-25T06:45:00+01:00", "2026-10-26T06:45:00+01:00"},
		},
		"working days at eight skipped Wednesday and rang at midnight (donetick#153)": {
			"FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR", "America/New_York", "2025-03-04 08:00",
			[]string{"2025-03-04T08:00:00-05:00", "2025-03-05T08:00:00-05:00", "2025-03-06T08:00:00-05:00", "2025-03-07T08:00:00-05:00", "2025-03-10T08:00:00-04:00"},
		},
		"a monthly second Wednesday became a Tuesday over the change of clocks (bryntum#3413)": {
			"FREQ=MONTHLY;BYDAY=2WE", "America/Chicago", "2020-10-14 00:00",
			[]string{"2020-10-14T00:00:00-05:00", "2020-11-11T00:00:00-06:00"},
		},
		"the first of the month became the second in summer (crontap#2)": {
			"FREQ=MONTHLY;BYMONTHDAY=1", "Europe/London", "2023-03-01 00:30",
			[]string{"2023-03-01T00:30:00Z", "2023-04-01T00:30:00+01:00", "2023-05-01T00:30:00+01:00"},
		},
		// Ends of months.
		"31 January became 3 March, and the 3rd ever after (vikunja#3436)": {
			"FREQ=MONTHLY;BYMONTHDAY=31", "UTC", "2026-01-31 09:00",
			[]string{"2026-01-31T09:00:00Z", "2026-03-31T09:00:00Z", "2026-05-31T09:00:00Z"},
		},
		"31 August became 1 October (mdone#161)": {
			"monthly", "UTC", "2026-08-31 09:00",
			[]string{"2026-08-31T09:00:00Z", "2026-10-31T09:00:00Z"},
		},
		"the last day was left out in shorter months (weektodo#235, tasknotes#561)": {
			"FREQ=MONTHLY;BYMONTHDAY=-1", "UTC", "2024-01-31 09:00",
			[]string{"2024-01-31T09:00:00Z", "2024-02-29T09:00:00Z", "2024-03-31T09:00:00Z", "2024-04-30T09:00:00Z"},
		},
		"the last day of June became 30 July (planify#2568, planify#2569)": {
			"FREQ=MONTHLY;BYMONTHDAY=-1", "UTC", "2026-06-30 09:00",
			[]string{"2026-06-30T09:00:00Z", "2026-07-31T09:00:00Z", "2026-08-31T09:00:00Z"},
		},
		"January's task left February out (tasks#1450): the last of the days that exist up to the 30th": {
			"FREQ=MONTHLY;BYMONTHDAY=28,29,30;BYSETPOS=-1", "UTC", "2027-01-30 09:00",
			[]string{"2027-01-30T09:00:00Z", "2027-02-28T09:00:00Z", "2027-03-30T09:00:00Z"},
		},
		"every half year became every year from the end of August (obsidian-tasks#1087)": {
			"FREQ=MONTHLY;INTERVAL=6;BYMONTHDAY=-1", "UTC", "2022-08-31 09:00",
			[]string{"2022-08-31T09:00:00Z", "2023-02-28T09:00:00Z", "2023-08-31T09:00:00Z"},
		},
		"a daily task was stuck at the end of a month (obsidian-tasks#1200)": {
			"daily", "Australia/Sydney", "2022-09-30 00:00",
			[]string{"2022-09-30T00:00:00+10:00", "2022-10-01T00:00:00+10:00", "2022-10-02T00:00:00+10:00", "2022-10-03T00:00:00+11:00"},
		},
		// Rules that people asked for.
		"every two months, every year and Mondays with Tuesdays could not be said (vikunja#2234): months": {
			"FREQ=MONTHLY;INTERVAL=2", "UTC", "2026-12-15 09:00", []string{"2026-12-15T09:00:00Z", "2027-02-15T09:00:00Z"},
		},
		"every two months, every year and Mondays with Tuesdays could not be said (vikunja#2234): years": {
			"FREQ=YEARLY", "UTC", "2026-12-15 09:00", []string{"2026-12-15T09:00:00Z", "2027-12-15T09:00:00Z"},
		},
		"every two months, every year and Mondays with Tuesdays could not be said (vikunja#2234): weekdays": {
			"FREQ=WEEKLY;BYDAY=MO,TU", "UTC", "2026-12-28 09:00", []string{"2026-12-28T09:00:00Z", "2026-12-29T09:00:00Z", "2027-01-04T09:00:00Z"},
		},
		"quarterly and half-yearly could not be said (vikunja#1369): quarters": {
			"FREQ=MONTHLY;INTERVAL=3;BYMONTHDAY=1", "UTC", "2026-11-01 09:00", []string{"2026-11-01T09:00:00Z", "2027-02-01T09:00:00Z", "2027-05-01T09:00:00Z"},
		},
		"the 1st and the 15th could not be said (vikunja#1369): days of the month": {
			"FREQ=MONTHLY;BYMONTHDAY=1,15", "UTC", "2026-11-15 09:00", []string{"2026-11-15T09:00:00Z", "2026-12-01T09:00:00Z", "2026-12-15T09:00:00Z"},
		},
		"working days only could not be found (tasks#942)": {
			"FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR", "UTC", "2026-11-26 09:00", []string{"2026-11-26T09:00:00Z", "2026-11-27T09:00:00Z", "2026-11-30T09:00:00Z"},
		},
		"several days of a week took a task for each (planify#1347)": {
			"FREQ=WEEKLY;BYDAY=MO,WE,FR", "UTC", "2026-11-27 09:00", []string{"2026-11-27T09:00:00Z", "2026-11-30T09:00:00Z", "2026-12-02T09:00:00Z"},
		},
		"nothing repeated at all (nextcloud/tasks#34): yearly": {
			"FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=-1", "UTC", "2027-02-28 09:00", []string{"2027-02-28T09:00:00Z", "2028-02-29T09:00:00Z"},
		},
		"the last day of each month could not be said (etar#662)": {
			"FREQ=MONTHLY;BYMONTHDAY=-1", "Europe/London", "2026-01-31 09:00",
			[]string{"2026-01-31T09:00:00Z", "2026-02-28T09:00:00Z", "2026-03-31T09:00:00+01:00", "2026-04-30T09:00:00+01:00"},
		},
		"the second Monday of a month could not be said (weektodo#297)": {
			"FREQ=MONTHLY;BYDAY=2MO", "UTC", "2025-03-06 09:00", []string{"2025-03-10T09:00:00Z", "2025-04-14T09:00:00Z"},
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

// TestComplaintsAboutCompletion are about the next occurrence after a task was done or moved.
func TestComplaintsAboutCompletion(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		rule, zone, start, done string
		fromCompletion          bool
		want                    string
	}{
		"done late in the evening, every second day became every third (donetick#286)": {
			"FREQ=DAILY;INTERVAL=2", "America/New_York", "2025-08-04 15:00", "2025-08-06T23:56:00-04:00", true, "2025-08-08T15:00:00-04:00",
		},
		"done early on its day, it came back the same day": {
			"daily", "Europe/Oslo", "2026-03-28 09:00", "2026-03-28T07:00:00+01:00", true, "2026-03-29T09:00:00+02:00",
		},
		"moved to Friday, every day was forgotten (todoist-mcp#279, raycast#10569)": {
			"daily", "UTC", "2026-01-19 09:00", "2026-01-23T12:00:00Z", false, "2026-01-24T09:00:00Z",
		},
		"every Sunday moved to a Tuesday stayed on Tuesdays (tod#428)": {
			"FREQ=WEEKLY;BYDAY=SU", "UTC", "2023-06-18 09:00", "2023-06-20T12:00:00Z", false, "2023-06-25T09:00:00Z",
		},
		"moved and done, every third day ended (taskwarrior#3239)": {
			"FREQ=DAILY;INTERVAL=3", "UTC", "2024-01-15 00:00", "2024-01-17T08:00:00Z", true, "2024-01-20T00:00:00Z",
		},
		"one occurrence moved, those after it moved too (tasks#2787)": {
			"FREQ=DAILY", "UTC", "2024-03-05 08:00", "2024-03-06T21:00:00Z", false, "2024-03-07T08:00:00Z",
		},
		"done overdue, the due date stayed in the past (tasks#2239)": {
			"daily", "America/Santiago", "2023-04-01 00:00", "2023-04-03T10:00:00-04:00", false, "2023-04-04T00:00:00-04:00",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			zone := place(t, c.zone)
			rule, err := recurrence.Parse(c.rule)
			if err != nil {
				t.Fatal(err)
			}
			done, err := time.Parse(time.RFC3339, c.done)
			if err != nil {
				t.Fatal(err)
			}
			next, ok := rule.Next(clock(t, c.start), zone, done)
			if c.fromCompletion {
				next, ok = rule.AfterCompletion(clock(t, c.start), zone, done)
			}
			if got := next.In(zone).Format(time.RFC3339); !ok || got != c.want {
				t.Errorf("got %s (%t) instead of %s", got, ok, c.want)
			}
		})
	}
}

func TestASeriesFollowsItsUserToAnotherZone(t *testing.T) {
	t.Parallel()
	rule, err := recurrence.Parse("FREQ=WEEKLY;BYDAY=MO")
	if err != nil {
		t.Fatal(err)
	}
	start, oslo, auckland := clock(t, "2026-11-02 09:00"), place(t, "Europe/Oslo"), place(t, "Pacific/Auckland")
	last, _ := rule.Next(start, oslo, clock(t, "2026-11-09 00:00"))
	if got := last.In(oslo).Format(time.RFC3339); got != "2026-11-09T09:00:00+01:00" {
		t.Errorf("in Oslo it is %s", got)
	}
	next, _ := rule.Next(start, auckland, last)
	if got := next.In(auckland).Format(time.RFC3339); got != "2026-11-16T09:00:00+13:00" {
		t.Errorf("in Auckland it is %s", got)
	}
}

func TestZonesWithAHistory(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		rule, zone, start string
		want              []string
	}{
		"Turkey put its winter off by two weeks in 2015": {
			"FREQ=WEEKLY;BYDAY=SU", "Europe/Istanbul", "2015-10-25 09:00",
			[]string{"2015-10-25T09:00:00+03:00", "2015-11-01T09:00:00+03:00", "2015-11-08T09:00:00+02:00"},
		},
		"Turkey stayed in summer in 2016": {
			"FREQ=MONTHLY;BYMONTHDAY=1", "Europe/Istanbul", "2016-10-01 09:00",
			[]string{"2016-10-01T09:00:00+03:00", "2016-11-01T09:00:00+03:00", "2016-12-01T09:00:00+03:00"},
		},
		"Morocco's clocks go back in Ramadan and forward after it": {
			"daily", "Africa/Casablanca", "2025-02-22 09:00",
			[]string{"2025-02-22T09:00:00+01:00", "2025-02-23T09:00:00Z"},
		},
		"Morocco's half past two is missing at the end of Ramadan": {
			"daily", "Africa/Casablanca", "2025-04-05 02:30",
			[]string{"2025-04-05T02:30:00Z", "2025-04-06T03:30:00+01:00", "2025-04-07T02:30:00+01:00"},
		},
		"Samoa's 30 December 2011 was not": {
			"FREQ=WEEKLY;BYDAY=FR", "Pacific/Apia", "2011-12-23 09:00",
			[]string{"2011-12-23T09:00:00-10:00", "2011-12-31T09:00:00+14:00", "2012-01-06T09:00:00+14:00"},
		},
		"Kathmandu is three quarters of an hour off": {
			"daily", "Asia/Kathmandu", "2026-12-31 09:00", []string{"2026-12-31T09:00:00+05:45", "2027-01-01T09:00:00+05:45"},
		},
		"Kathmandu was half an hour off until 1986": {
			"daily", "Asia/Kathmandu", "1985-12-31 00:05", []string{"1985-12-31T00:05:00+05:30", "1986-01-01T00:20:00+05:45", "1986-01-02T00:05:00+05:45"},
		},
		"Chatham's summer begins at a quarter to three": {
			"daily", "Pacific/Chatham", "2026-09-26 03:00", []string{"2026-09-26T03:00:00+12:45", "2026-09-27T04:00:00+13:45", "2026-09-28T03:00:00+13:45"},
		},
		"Pyongyang's half hour went and came back": {
			"FREQ=MONTHLY;BYMONTHDAY=20", "Asia/Pyongyang", "2018-04-20 09:00", []string{"2018-04-20T09:00:00+08:30", "2018-05-20T09:00:00+09:00"},
		},
		"the year ends in the middle of a week": {
			"FREQ=WEEKLY;INTERVAL=2;BYDAY=TH,FR", "Asia/Tokyo", "2026-12-31 23:59", []string{"2026-12-31T23:59:00+09:00", "2027-01-01T23:59:00+09:00", "2027-01-14T23:59:00+09:00"},
		},
		"2100 has no leap day": {
			"FREQ=MONTHLY;BYMONTHDAY=29;BYMONTH=2", "UTC", "2096-02-29 00:00", []string{"2096-02-29T00:00:00Z", "2104-02-29T00:00:00Z"},
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
