package recurrence_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/teambition/rrule-go"

	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/recurrence"
)

// TestExpansionAgreesWithTheLibrary compares with rrule-go where it is right, which it is not on the weeks at both ends of
// the year, nor on positions in a week that has begun; and where it ends soon.
func TestExpansionAgreesWithTheLibrary(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	compared := 0
	for range 400 {
		rule := randomRule(random)
		start := time.Date(2020+random.IntN(10), 1, 1+random.IntN(366), random.IntN(24), random.IntN(60), 0, 0, time.UTC)
		option, err := rrule.StrToROption(rule)
		if err != nil {
			t.Fatal(err)
		}
		option.Dtstart = start
		reference, err := rrule.NewRRule(*option)
		if err != nil {
			t.Fatal(err)
		}
		var want []time.Time
		next := reference.Iterator()
		for len(want) < 10 {
			at, ok := next()
			if !ok {
				break
			}
			want = append(want, at)
		}
		if len(want) == 0 {
			continue
		}
		got, err := recurrence.Occurrences(rule, start, time.UTC, time.Time{}, len(want))
		if err != nil || len(got) != len(want) {
			t.Fatalf("%s from %s: %v (%v) instead of %v", rule, start, got, err, want)
		}
		for i := range want {
			if !got[i].Equal(want[i]) {
				t.Fatalf("%s from %s: occurrence %d is %s instead of %s", rule, start, i, got[i], want[i])
			}
		}
		compared++
	}
	if compared < 300 {
		t.Errorf("only %d rules were compared", compared)
	}
}

func randomRule(random *rand.Rand) string {
	pick := func(from ...string) string { return from[random.IntN(len(from))] }
	some := func(low, high int) string {
		var numbers []string
		for range 1 + random.IntN(3) {
			n := low + random.IntN(high-low+1)
			if n == 0 {
				n = 1
			}
			numbers = append(numbers, fmt.Sprint(n))
		}
		return strings.Join(numbers, ",")
	}
	freq := pick("DAILY", "WEEKLY", "MONTHLY", "YEARLY")
	parts := []string{"FREQ=" + freq}
	maybe := func(one int, part string) {
		if random.IntN(one) == 0 {
			parts = append(parts, part)
		}
	}
	maybe(2, fmt.Sprintf("INTERVAL=%d", 1+random.IntN(5)))
	maybe(3, fmt.Sprintf("COUNT=%d", 1+random.IntN(30)))
	maybe(3, "WKST="+pick("SU", "MO", "WE"))
	switch freq {
	case "MONTHLY":
		maybe(4, "BYMONTH="+some(1, 12))
		if random.IntN(2) == 0 {
			parts = append(parts, "BYMONTHDAY="+some(-28, 28))
		} else {
			maybe(2, "BYDAY="+pick("MO", "2TU", "-1FR", "MO,TU,WE,TH,FR", "1SU,3SU"))
		}
		if len(parts) > 1 && strings.Contains(strings.Join(parts, ";"), "BY") {
			maybe(4, "BYSETPOS="+pick("1", "-1"))
		}
	case "YEARLY":
		switch random.IntN(3) {
		case 0:
			parts = append(parts, "BYYEARDAY="+some(-365, 365))
		case 1:
			parts = append(parts, "BYWEEKNO="+some(2, 51), "BYDAY="+pick("MO", "WE", "SA,SU"))
		default:
			maybe(2, "BYMONTH="+some(1, 12))
			maybe(2, "BYDAY="+pick("MO", "2TU", "-1FR", "1SU,3SU"))
		}
	default:
		maybe(4, "BYMONTH="+some(1, 12))
		maybe(2, "BYDAY="+pick("MO", "TU,TH", "MO,TU,WE,TH,FR", "SA,SU"))
		if freq == "DAILY" {
			maybe(5, "BYMONTHDAY="+some(1, 28))
		}
	}
	return strings.Join(parts, ";")
}

// FuzzOccurrences checks that every rule, start and zone either is refused as invalid or has occurrences in rising order,
// after the instant asked for.
func FuzzOccurrences(f *testing.F) {
	for _, rule := range []string{"daily", "FREQ=WEEKLY;BYDAY=MO,TH", "FREQ=MONTHLY;BYDAY=53MO", "FREQ=YEARLY;BYWEEKNO=-1;BYDAY=SU", "FREQ=DAILY;UNTIL=20270101T000000Z"} {
		f.Add(rule, int64(1_763_800_000), int64(1_773_000_000), uint8(0))
	}
	zones := []*time.Location{time.UTC, place(f, "America/New_York"), place(f, "Australia/Lord_Howe"), place(f, "Pacific/Apia"), place(f, "Europe/Oslo")}
	f.Fuzz(func(t *testing.T, rule string, start, after int64, zone uint8) {
		const span = 8000 * 365 * 86400
		where := zones[int(zone)%len(zones)]
		from := time.Unix(start%span, 0).In(where)
		behind := time.Unix(after%span, 0)
		found, err := recurrence.Occurrences(rule, from, where, behind, 5)
		if err != nil {
			if !errs.Is(err, errs.Invalid) {
				t.Fatalf("%q: %v", rule, err)
			}
			return
		}
		last := behind
		for _, at := range found {
			if !at.After(last) || at.Before(from) && !at.Equal(from) {
				t.Fatalf("%q from %s: %s comes after %s", rule, from, at, last)
			}
			last = at
		}
	})
}

// FuzzInstant checks what an instant must show on the zone's clocks: the wall time, or, in a gap, a later one by the gap's
// length; and that no earlier instant shows it.
func FuzzInstant(f *testing.F) {
	f.Add(int64(1_773_000_000), uint8(0))
	f.Add(time.Date(2028, 12, 31, 12, 0, 0, 0, time.UTC).Unix(), uint8(0)) // ZoneBounds is wrong there
	names := []string{"America/New_York", "Europe/Oslo", "Australia/Lord_Howe", "Asia/Karachi", "Pacific/Apia", "Africa/Cairo", "America/Sao_Paulo", "UTC"}
	var zones []*time.Location
	for _, name := range names {
		zones = append(zones, place(f, name))
	}
	f.Fuzz(func(t *testing.T, seconds int64, zone uint8) {
		where := zones[int(zone)%len(zones)]
		wall := time.Unix(seconds%(200*365*86400), 0).UTC()
		at := recurrence.Instant(wall, where)
		shown := at.In(where)
		const minutes = 26 * 60
		if shown.Format(time.DateTime) == wall.Format(time.DateTime) {
			for m := 15; m < minutes; m += 15 {
				if earlier := shown.Add(-time.Duration(m) * time.Minute); earlier.Format(time.DateTime) == wall.Format(time.DateTime) {
					t.Fatalf("%s in %s is %s, but was shown at %s before", wall, where, at, earlier)
				}
			}
			return
		}
		_, before := shown.Add(-minutes * time.Minute).Zone()
		_, now := shown.Zone()
		gap := time.Duration(now-before) * time.Second
		if gap <= 0 || shown.Format(time.DateTime) != wall.Add(gap).Format(time.DateTime) {
			t.Fatalf("%s in %s is %s", wall, where, shown)
		}
	})
}
