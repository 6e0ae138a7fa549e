package recurrence_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/taskflow-suite/taskflow/pkg/recurrence"
	"github.com/taskflow-suite/taskflow/pkg/testkit"
)

// rules is how many are compared. They are the same in each run.
const rules = 100_000

// first is how many occurrences of each are compared, besides the next one after a moment.
const first = 2

// differentialZones have each something of its own: half and quarter hours, a day that was skipped, a summer at midnight,
// summers given up, the other half of the year, an hour that is negative.
var differentialZones = []string{
	"UTC", "Europe/Oslo", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Chatham", "Pacific/Apia",
	"Europe/Istanbul", "Africa/Cairo", "America/Sao_Paulo", "America/St_Johns", "Asia/Karachi", "Asia/Tehran", "America/Santiago",
	"Europe/Dublin", "Asia/Pyongyang", "America/Caracas", "Antarctica/Troll", "Pacific/Kiritimati", "Africa/Casablanca",
}

// question is a rule that is expanded twice.
type question struct {
	rule         string
	start, after time.Time // on the clock
	zone         *time.Location

	walls []time.Time // ours: the first ones
	next  time.Time   // ours: the first after after; zero for none
}

// reply is how the other side answers.
type reply struct {
	walls    []time.Time
	next     time.Time
	instants []time.Time
	failed   string
}

// TestNextAgreesWithAnIndependentImplementation compares with the npm package rrule on the calendar, and with ICU's time
// zones on what its times of the clock are as instants. README.md explains each exception.
func TestNextAgreesWithAnIndependentImplementation(t *testing.T) {
	t.Parallel()
	node := exec.CommandContext(t.Context(), "node", filepath.Join(testkit.NPM(t, "rrule", os.DirFS(filepath.Join("testdata", "rrule"))), "expand.mjs"))
	var wrong bytes.Buffer
	node.Stderr = &wrong
	in, err := node.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := node.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := node.Start(); err != nil {
		t.Fatalf("node (20 or later) is needed: %v", err)
	}
	asked := make(chan question, 8192) // more than node and the pipes hold
	refusals, sent := make(chan int, 1), make(chan error, 1)
	go func() {
		defer close(asked)
		refused, err := ask(in, asked)
		refusals <- refused
		sent <- err
	}()
	answers := bufio.NewScanner(out)
	met := map[string]int{}
	unexplained, compared := 0, 0
	for q := range asked {
		if !answers.Scan() {
			t.Errorf("no answer on %s: %v", q.rule, answers.Err())
			break
		}
		compared++
		name, difference := q.compare(t, decodeReply(t, answers.Text()))
		if difference == "" {
			continue
		}
		met[name]++
		if name == "" {
			if unexplained++; unexplained <= 20 {
				t.Error(difference)
			}
		}
	}
	for range asked {
		continue
	}
	if err := <-sent; err != nil {
		t.Error(err)
	}
	if err := node.Wait(); err != nil {
		t.Errorf("%v: %s", err, wrong.String())
	}
	t.Logf("%d rules compared, %d refused as impossible; differences by name: %v", compared, <-refusals, met)
	if unexplained > 0 || compared != rules {
		t.Errorf("%d of %d rules differ without a reason", unexplained, compared)
	}
	for _, e := range exceptions {
		if met[e.name] == 0 {
			t.Errorf("nothing differs by %q any more: take it out of the table", e.name)
		}
	}
}

// ask makes the questions, which it sends to node and to whom compares the answers.
func ask(in io.WriteCloser, asked chan<- question) (refused int, err error) {
	random := rand.New(rand.NewPCG(2026, 11))
	zones := make([]*time.Location, len(differentialZones))
	for i, name := range differentialZones {
		if zones[i], err = time.LoadLocation(name); err != nil {
			return 0, err
		}
	}
	buffered := bufio.NewWriter(in)
	defer in.Close()
	for made, walks := 0, 0; made < rules; {
		start := time.Date(1995+random.IntN(40), 1, 1+random.IntN(366), 0, 0, 0, 0, time.UTC).Add(timeOfDay(random))
		text := wideRule(random, start)
		rule, err := recurrence.Parse(text)
		if err != nil {
			if !strings.Contains(err.Error(), "must name days that exist") {
				return refused, fmt.Errorf("%s: %w", text, err)
			}
			refused++
			continue
		}
		q := question{rule: text, start: start, zone: zones[random.IntN(len(zones))]}
		q.after = q.start.Add(time.Duration(random.IntN(60*24*60)) * time.Minute)
		if q.walls, err = rule.Occurrences(q.start, time.UTC, time.Time{}, first); err != nil {
			return refused, err
		}
		q.next, _ = rule.Next(q.start, time.UTC, q.after)
		if len(q.walls) < first && (!rule.Ends() || len(q.many(asTheyAre)) < first) {
			// The other side walks through eight thousand years to find that there is no more.
			if walks++; walks > 3 || strings.Contains(text, "DAILY") {
				continue
			}
		}
		made++
		asked <- q
		if _, err := fmt.Fprintf(buffered, "%s\t%d\t%d\t%d\t%s\n", text, q.start.UnixMilli(), q.after.UnixMilli(), first, q.zone); err != nil {
			return refused, err
		}
	}
	return refused, buffered.Flush()
}

func timeOfDay(random *rand.Rand) time.Duration {
	often := []time.Duration{0, 30 * time.Minute, 90 * time.Minute, 2 * time.Hour, 150 * time.Minute, 9 * time.Hour, 24*time.Hour - time.Minute}
	if i := random.IntN(2 * len(often)); i < len(often) {
		return often[i]
	}
	return time.Duration(random.IntN(86400)) * time.Second
}

func decodeReply(t *testing.T, line string) reply {
	t.Helper()
	fields := strings.Split(line, "\t")
	if len(fields) != 4 {
		t.Fatalf("the answer %q has %d fields", line, len(fields))
	}
	times := func(field string) (all []time.Time) {
		for _, text := range strings.Fields(field) {
			ms, err := strconv.ParseInt(text, 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, time.UnixMilli(ms).UTC())
		}
		return all
	}
	r := reply{walls: times(fields[0]), instants: times(fields[2]), failed: fields[3]}
	for _, next := range times(fields[1]) {
		r.next = next
	}
	return r
}

// compare says how an answer differs, and the name of the exception that explains it.
func (q question) compare(t *testing.T, r reply) (name, difference string) {
	t.Helper()
	theirs := slices.Clone(r.walls[:min(len(r.walls), 1)])
	if !r.next.IsZero() {
		theirs = append(theirs, r.next)
	}
	for i, at := range r.instants {
		if ours := recurrence.Instant(theirs[i], q.zone); !ours.Equal(at) {
			difference = fmt.Sprintf("%s in %s is %s, and %s with ICU", theirs[i].Format(time.DateTime), q.zone, ours.UTC(), at)
			break
		}
	}
	if difference == "" && (r.failed != "" || !slices.EqualFunc(q.walls, r.walls, time.Time.Equal) || !q.next.Equal(r.next)) {
		difference = fmt.Sprintf("%s from %s:\nours   %s\ntheirs %s\nafter %s: ours %s, theirs %s %s",
			q.rule, stamp(q.start), walls(q.walls), walls(r.walls), stamp(q.after), stamp(q.next), stamp(r.next), r.failed)
	}
	if difference == "" {
		return "", ""
	}
	for _, e := range exceptions {
		if e.explains(q, r) {
			return e.name, difference
		}
	}
	return "", difference
}

func stamp(t time.Time) string { return t.Format("Mon 2006-01-02 15:04:05") }

func walls(times []time.Time) string {
	var all []string
	for _, at := range times {
		all = append(all, stamp(at))
	}
	return strings.Join(all, ", ")
}

// exceptions are the differences that are known, each with what must be true of one.
var exceptions = []struct {
	name     string
	explains func(q question, r reply) bool
}{
	{"one day at two positions", func(q question, r reply) bool {
		return strings.Contains(q.rule, "BYSETPOS=1,-1") && q.agrees(slices.Compact(slices.Clone(r.walls)), r.next)
	}},
	{"positions in the week of the start", func(q question, r reply) bool {
		if !strings.Contains(q.rule, "FREQ=WEEKLY") || !strings.Contains(q.rule, "BYSETPOS") {
			return false
		}
		soon := q.start.AddDate(0, 0, 7)
		unlimited := q.many("")
		late := func(times []time.Time) []time.Time {
			return slices.DeleteFunc(slices.Compact(slices.Clone(times)), func(at time.Time) bool { return at.Before(soon) && slices.Contains(unlimited, at) })
		}
		ours, theirs := late(q.walls), late(r.walls)
		n := min(len(ours), len(theirs))
		counted := strings.Contains(q.rule, "COUNT=")
		return slices.EqualFunc(ours[:n], theirs[:n], time.Time.Equal) &&
			(r.next.Equal(q.next) || len(late([]time.Time{r.next})) == 0 || len(late([]time.Time{q.next})) == 0 || counted && (r.next.IsZero() || q.next.IsZero()))
	}},
	{"a plain weekday beside a numbered one", func(q question, r reply) bool {
		numbered := strings.Replace(q.rule, "SA,-1SA", "-1SA", 1)
		return numbered != q.rule && (q.as(numbered, r) || q.as(numbered+"T000000", r))
	}},
	{"a position before the front", func(q question, r reply) bool {
		if !strings.Contains(q.rule, "BYSETPOS=-2") {
			return false
		}
		sole := intersection(q.many(";BYSETPOS=1"), q.many(";BYSETPOS=-1"))
		ours := q.many(";BYSETPOS=-2")
		theirs := append(slices.Clone(r.walls), r.next)
		for _, at := range theirs {
			if !at.IsZero() && !slices.Contains(sole, at) && !slices.Contains(ours, at) {
				return false
			}
		}
		return isSubset(within(ours, r.walls), r.walls)
	}},
	{"a week that two years share", func(q question, r reply) bool {
		if !strings.Contains(q.rule, "BYWEEKNO") {
			return false
		}
		ours := q.many(asTheyAre)
		for _, at := range append(slices.Clone(r.walls), r.next) {
			if !at.IsZero() && !slices.Contains(ours, at) && !atTurnOfYear(at) {
				return false
			}
		}
		return !slices.ContainsFunc(within(ours, r.walls), func(at time.Time) bool { return !slices.Contains(r.walls, at) && !atTurnOfYear(at) })
	}},
	{"a date in UNTIL", func(q question, r reply) bool {
		return untilDate.MatchString(q.rule) && q.as(q.rule+"T000000", r)
	}},
}

// agrees reports whether walls are ours as far as both go. With COUNT the other side may have ended sooner, having counted
// what is none; with a date in UNTIL it may have ended on that day.
func (q question) agrees(walls []time.Time, next time.Time) bool {
	n := min(len(walls), len(q.walls))
	counted := strings.Contains(q.rule, "COUNT=") || untilDate.MatchString(q.rule)
	return slices.EqualFunc(walls[:n], q.walls[:n], time.Time.Equal) && (n > 0 || counted || !next.IsZero()) &&
		(next.Equal(q.next) || counted && (next.IsZero() || q.next.IsZero()))
}

// many are our occurrences of the rule without its end, with other positions unless they are asTheyAre.
func (q question) many(positions string) []time.Time {
	rule := endPart.ReplaceAllString(q.rule, "")
	if positions != asTheyAre {
		rule = positionsPart.ReplaceAllString(rule, positions)
	}
	walls, err := recurrence.Occurrences(rule, q.start, time.UTC, time.Time{}, 500)
	if err != nil {
		return nil
	}
	return walls
}

const asTheyAre = "as they are"

var (
	endPart       = regexp.MustCompile(`;(COUNT|UNTIL)=\w+`)
	untilDate     = regexp.MustCompile(`UNTIL=\d{8}$`)
	positionsPart = regexp.MustCompile(`;BYSETPOS=[-\d,]+`)
)

func intersection(a, b []time.Time) []time.Time {
	return slices.DeleteFunc(slices.Clone(a), func(at time.Time) bool { return !slices.Contains(b, at) })
}

// within are those that are not after the last of others.
func within(times, others []time.Time) []time.Time {
	return slices.DeleteFunc(slices.Clone(times), func(at time.Time) bool { return len(others) == 0 || at.After(others[len(others)-1]) })
}

func isSubset(a, b []time.Time) bool {
	return !slices.ContainsFunc(a, func(at time.Time) bool { return !slices.Contains(b, at) })
}

func atTurnOfYear(at time.Time) bool { return at.YearDay() <= 6 || at.YearDay() >= 360 }

// as reports whether the answer is ours to another rule.
func (q question) as(rule string, r reply) bool {
	other, err := recurrence.Parse(rule)
	if err != nil {
		return false
	}
	walls, err := other.Occurrences(q.start, time.UTC, time.Time{}, first)
	next, _ := other.Next(q.start, time.UTC, q.after)
	return err == nil && slices.EqualFunc(walls, r.walls, time.Time.Equal) && next.Equal(r.next)
}

// wideRule is a rule of any kind that Parse takes, unless it is impossible.
func wideRule(random *rand.Rand, start time.Time) string {
	pick := func(from ...string) string { return from[random.IntN(len(from))] }
	some := func(low, high int) string {
		var b strings.Builder
		for i := range 1 + random.IntN(3) {
			n := low + random.IntN(high-low+1)
			if n == 0 {
				n = -1
			}
			if i > 0 {
				b.WriteByte(',')
			}
			fmt.Fprint(&b, n)
		}
		return b.String()
	}
	one := func(in int) bool { return random.IntN(in) == 0 }
	freq := pick("DAILY", "WEEKLY", "MONTHLY", "YEARLY")
	var b strings.Builder
	b.WriteString("FREQ=" + freq)
	by := false
	part := func(name, value string) {
		b.WriteString(";" + name + "=" + value)
		by = true
	}
	plainDays := func() string { return pick("MO", "SU", "TU,TH", "MO,TU,WE,TH,FR", "SA,SU", "WE,FR,SU") }
	countedDays := func() string {
		return pick("1MO", "2TU", "-1FR", "-2SU", "1SU,3SU", "5TH", "-5MO", "SA,-1SA", "MO,TU,WE,TH,FR")
	}
	switch freq {
	case "DAILY":
		if one(4) {
			part("BYMONTH", some(1, 12))
		}
		if one(4) {
			part("BYMONTHDAY", some(-31, 31))
		}
		if one(3) {
			part("BYDAY", plainDays())
		}
	case "WEEKLY":
		if one(4) {
			part("BYMONTH", some(1, 12))
		}
		if one(2) {
			part("BYDAY", plainDays())
		}
	case "MONTHLY":
		if one(4) {
			part("BYMONTH", some(1, 12))
		}
		switch random.IntN(4) {
		case 0:
			part("BYMONTHDAY", some(-31, 31))
		case 1:
			part("BYDAY", countedDays())
		case 2:
			part("BYDAY", plainDays())
			if one(3) {
				part("BYMONTHDAY", some(-31, 31))
			}
		}
	default:
		if one(3) {
			part("BYMONTH", some(1, 12))
		}
		switch random.IntN(6) {
		case 0:
			part("BYMONTHDAY", some(-31, 31))
		case 1:
			part("BYDAY", countedDays())
		case 2:
			part("BYYEARDAY", some(-366, 366))
		case 3:
			part("BYWEEKNO", some(-53, 53))
			if one(2) {
				part("BYDAY", plainDays())
			}
		case 4:
			part("BYDAY", pick("20MO", "-20TU", "53FR", "-53SU", "1MO,-1MO", "SA"))
		}
	}
	if by && one(5) && !strings.Contains(b.String(), "SA,-1SA") && !strings.Contains(b.String(), "BYWEEKNO") {
		b.WriteString(";BYSETPOS=" + pick("1", "-1", "2", "-2", "1,-1", "3"))
	}
	if one(2) {
		fmt.Fprintf(&b, ";INTERVAL=%d", 1+random.IntN(6))
	}
	if one(4) {
		b.WriteString(";WKST=" + pick("SU", "MO", "TU", "WE", "TH", "FR", "SA"))
	}
	switch random.IntN(8) {
	case 0:
		fmt.Fprintf(&b, ";COUNT=%d", 1+random.IntN(12))
	case 1:
		until := start.Add(time.Duration(random.IntN(60*24*60)) * time.Minute)
		b.WriteString(";UNTIL=" + until.Format(pick("20060102", "20060102T150405", "20060102T150405Z")))
	}
	return b.String()
}
