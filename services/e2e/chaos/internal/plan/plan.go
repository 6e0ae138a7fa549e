// Package plan decides what is broken when. A plan is a pure function of a seed, a length and the kinds of faults that the
// machine allows, so that a run that failed can be run again. It refuses to know how anything is broken.
package plan

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// Kind is a way to break a part.
type Kind string

// The kinds.
const (
	// Kill ends a process with SIGKILL; it is started again when the fault is over.
	Kill Kind = "kill"
	// Freeze stops a process with SIGSTOP: it holds its connections and answers nothing.
	Freeze Kind = "freeze"
	// Cut drops every packet to and from the doors of a part.
	Cut Kind = "cut"
	// Loss drops some of them, which TCP makes up for late. Amount is in percent.
	Loss Kind = "loss"
	// Delay holds each of them back. Amount is in milliseconds.
	Delay Kind = "delay"
	// Full leaves no space on the disk of the database.
	Full Kind = "full"
	// Restart ends the broker as a deployment does.
	Restart Kind = "restart"
	// Amnesia ends the broker and takes all its data; topics are made and filled again, as operators do it.
	Amnesia Kind = "amnesia"
	// Clock sets the database's clock wrong. Amount is in seconds, ahead or behind.
	Clock Kind = "clock"
)

// Fault is one thing that is broken for a while.
type Fault struct {
	N    int    `json:"n"` // from 1
	Kind Kind   `json:"kind"`
	Part string `json:"part"`
	// At is when it begins, since the start; For is how long it lasts. Both are whole milliseconds.
	At     time.Duration `json:"at"`
	For    time.Duration `json:"for"`
	Amount int           `json:"amount,omitempty"`
}

// String is the fault in words.
func (f Fault) String() string {
	text := fmt.Sprintf("%s %s for %s", f.Kind, f.Part, f.For.Round(100*time.Millisecond))
	switch f.Kind {
	case Loss:
		text += fmt.Sprintf(", %d %% of packets", f.Amount)
	case Delay:
		text += fmt.Sprintf(", %d ms", f.Amount)
	case Clock:
		text += fmt.Sprintf(", %+d s", f.Amount)
	default: // has none
	}
	return text
}

// shape is what faults of a kind are like.
type shape struct {
	kind     Kind
	weight   int
	shortest time.Duration
	longest  time.Duration
	from, to int // of Amount
	atMost   int // in one plan; 0 is any number
	parts    []string
}

const (
	postgres = "postgres"
	broker   = "broker"
)

// apps have a sidecar each; with the offline model, the broker and the database they are all there is.
var apps = []string{"task-api", "notifier", "notifier-2", "mcp-tools", "chat-agent", "scheduler", "scheduler-2"}

// Parts are what a plan may break.
func Parts() []string {
	parts := []string{postgres, broker, "offline-model"}
	for _, app := range apps {
		parts = append(parts, app, app+"-dapr")
	}
	return parts
}

func shapes() []shape {
	all, ms, s := Parts(), time.Millisecond, time.Second
	// What one database or broker is for everybody would else be hit as rarely as a single sidecar.
	heavy := append(slices.Repeat([]string{postgres, broker}, 3), all...)
	return []shape{
		{kind: Kill, weight: 40, shortest: 0, longest: 8 * s, parts: heavy},
		{kind: Freeze, weight: 20, shortest: s, longest: 20 * s, parts: heavy},
		{kind: Cut, weight: 12, shortest: s, longest: 15 * s, parts: heavy},
		{kind: Loss, weight: 8, shortest: 3 * s, longest: 15 * s, from: 5, to: 40, parts: heavy},
		{kind: Delay, weight: 8, shortest: 3 * s, longest: 15 * s, from: 20, to: 500, parts: heavy},
		{kind: Full, weight: 4, shortest: 2 * s, longest: 12 * s, atMost: 2, parts: []string{postgres}},
		{kind: Restart, weight: 4, shortest: 500 * ms, longest: 10 * s, parts: []string{broker}},
		{kind: Amnesia, weight: 4, shortest: 500 * ms, longest: 5 * s, atMost: 1, parts: []string{broker}},
		{kind: Clock, weight: 4, shortest: 3 * s, longest: 15 * s, from: -90, to: 90, atMost: 2, parts: []string{postgres}},
	}
}

// Kinds are all kinds of faults.
func Kinds() []Kind {
	var all []Kind
	for _, s := range shapes() {
		all = append(all, s.kind)
	}
	return all
}

// atOnce is how many faults overlap at most: more of them would show what a suite does without most of itself, and little
// of what one fault does to another.
const atOnce = 2

// quiet is how long nothing is broken at the beginning, and how long a part is left alone after a fault.
const quiet = 3 * time.Second

// Make plans the faults of a run. What a kind that is not among kinds would have taken is left quiet, so that the other
// faults are the same on every machine.
func Make(seed uint64, length time.Duration, kinds []Kind) []Fault {
	chance := rand.New(rand.NewPCG(seed, 0x7461736b)) //nolint:gosec // G404: the same each time is what it is for
	every, total := shapes(), 0
	for _, s := range every {
		total += s.weight
	}
	busy := map[string]time.Duration{} // until when a part is not to be touched
	used := map[Kind]int{}
	var faults []Fault
	for at := quiet; ; at += between(chance, 500*time.Millisecond, 5*time.Second) {
		s := pick(chance, every, total)
		part := s.parts[chance.IntN(len(s.parts))]
		f := Fault{Kind: s.kind, Part: part, At: at, For: between(chance, s.shortest, s.longest)}
		if f.Amount = s.from + chance.IntN(s.to-s.from+1); f.Amount == 0 && s.kind == Clock {
			f.Amount = s.to
		}
		f.For = min(f.For, length-at)
		if at >= length-quiet {
			break
		}
		overlapping := 0
		for _, until := range busy {
			if until-quiet > at {
				overlapping++
			}
		}
		if overlapping >= atOnce || busy[part] > at || s.atMost > 0 && used[s.kind] >= s.atMost {
			continue
		}
		busy[part] = at + f.For + quiet
		used[s.kind]++
		if f.N = len(faults) + 1; slices.Contains(kinds, s.kind) {
			faults = append(faults, f)
		}
	}
	return faults
}

func pick(chance *rand.Rand, all []shape, total int) shape {
	n := chance.IntN(total)
	for _, s := range all {
		if n -= s.weight; n < 0 {
			return s
		}
	}
	return all[0]
}

func between(chance *rand.Rand, low, high time.Duration) time.Duration {
	return (low + time.Duration(chance.Int64N(int64(high-low)+1))).Truncate(time.Millisecond)
}

// Table is a plan for people.
func Table(faults []Fault) string {
	var text strings.Builder
	w := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	for _, f := range faults {
		fmt.Fprintf(w, "%d\t%s\t%s\n", f.N, f.At.Round(100*time.Millisecond), f)
	}
	_ = w.Flush()
	return text.String()
}
