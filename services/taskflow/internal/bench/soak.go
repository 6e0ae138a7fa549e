package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/taskflow-suite/taskflow/pkg/stack"
)

// SoakOptions says how long people use the suite evenly while it is watched.
type SoakOptions struct {
	// Stack is how to start the suite; its directory must be the measurement's own.
	Stack stack.Options
	For   time.Duration
	// Every is how far two samples are apart.
	Every time.Duration
	// Rate is how many tasks are created per second.
	Rate float64
	// Windows is how many people have a window open; each gets the frames of the tasks that are theirs.
	Windows int
	// Progress is told about once a minute how it is.
	Progress io.Writer
}

// soaked are the processes that are watched.
var soaked = append(slices.Clone(spine), "scheduler", "scheduler-dapr", "mcp-tools", "mcp-tools-dapr", "chat-agent", "chat-agent-dapr")

// Things that are measured beside what the processes say of themselves.
const (
	cpuPerTask   = "CPU µs per task"
	machineSpeed = "same work on the machine µs"
)

// warmUp is the share of a soak that is left out of the judgement: pools fill, and the garbage collector finds its pace.
const warmUp = 0.25

// Soak starts the suite, uses it, and stops it. What was seen until an error is in the Soaked all the same. That a request
// failed, a frame never came or a window was told something twice is an error; whether something grew, Compare says.
func Soak(ctx context.Context, o SoakOptions) (*Soaked, error) {
	seen := &Soaked{Taken: time.Now().UTC(), Machine: machine(), Rate: o.Rate, Windows: o.Windows}
	s, err := stack.Start(ctx, o.Stack)
	if err != nil {
		return seen, err
	}
	defer func() {
		stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
		defer cancel()
		_ = s.Stop(stopping)
	}()
	b := &session{stack: s, report: &Report{}, length: o.For}
	w, err := b.watch(ctx, "soak", o.Windows, clients)
	if err != nil {
		return seen, err
	}
	defer w.stop()
	return seen, b.soak(ctx, o, w, seen)
}

func (b *session) soak(ctx context.Context, o SoakOptions, w *watchers, seen *Soaked) error {
	began, told := time.Now(), time.Now()
	same := newReference()
	spent := b.spent()
	for time.Since(began) < o.For {
		l, err := w.create(ctx, clients, o.Rate, min(o.Every, o.For-time.Since(began)))
		if err != nil {
			return err
		}
		frames := w.take()
		now := b.sample(l, frames, w.missing())
		before := spent
		spent = b.spent()
		now[cpuPerTask] = (spent - before) * 1e6 / float64(max(l.created, 1))
		now[machineSpeed] = float64(same.take().Microseconds())
		seen.add(time.Since(began), now)
		if time.Since(told) >= time.Minute {
			told = time.Now()
			fmt.Fprintf(o.Progress, "%s of %s: %.0f tasks/s, 201 → frame p99 %s\n", time.Since(began).Round(time.Second), o.For,
				float64(l.created)/l.took.Seconds(), quantile(frames, 0.99).Round(time.Millisecond))
		}
	}
	if err := w.settle(ctx, time.Minute); err != nil {
		return err
	}
	return w.broken()
}

// spent is the CPU time of all processes of the suite, in seconds.
func (b *session) spent() float64 {
	total := cpu(b.stack.Pid("postgres"))
	for _, name := range soaked {
		total += cpu(b.stack.Pid(name))
	}
	return total
}

// sample is how everything is now, and how the requests since the sample before went.
func (b *session) sample(l load, frames []time.Duration, missing int) map[string]float64 {
	now := map[string]float64{
		"created tasks/s":      float64(l.created) / l.took.Seconds(),
		"POST p50 ms":          milliseconds(quantile(l.request, 0.50)),
		"POST p99 ms":          milliseconds(quantile(l.request, 0.99)),
		"frame p50 ms":         milliseconds(quantile(frames, 0.50)),
		"frame p99 ms":         milliseconds(quantile(frames, 0.99)),
		"frames on their way":  float64(missing),
		"postgres connections": float64(children(b.stack.Pid("postgres"))),
	}
	for _, name := range soaked {
		pid := b.stack.Pid(name)
		now["RSS MiB "+name] = rss(pid)
		now["open files "+name] = float64(openFiles(pid))
	}
	for _, name := range []string{"task-api", "notifier", "scheduler", "mcp-tools", "chat-agent"} {
		now["goroutines "+name] = goroutines(b.stack.URL(name))
	}
	return now
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// Soaked is what a soak saw: for each thing watched, its values over time.
type Soaked struct {
	Taken   time.Time `json:"taken"`
	Machine string    `json:"machine"`
	Rate    float64   `json:"rate"`
	Windows int       `json:"windows"`
	// At are the times of the samples, in seconds from the beginning.
	At []float64 `json:"at"`
	// Series has one value per sample for each thing, whose name begins with its group and unit.
	Series map[string][]float64 `json:"series"`
}

func (s *Soaked) add(at time.Duration, now map[string]float64) {
	if s.Series == nil {
		s.Series = map[string][]float64{}
	}
	s.At = append(s.At, at.Seconds())
	for name, value := range now {
		s.Series[name] = append(s.Series[name], value)
	}
}

// Growth is how something changed from after the warm-up to the end: medians of the first and of the last third of that time.
type Growth struct {
	Name       string
	First, End float64
}

var errShort = errors.New("too few samples to tell whether something grows: let it run longer")

// minSamples is how many samples a judgement needs after the warm-up.
const minSamples = 9

// Compare tells of everything, by name, how it was after the warm-up and at the end.
func (s *Soaked) Compare() ([]Growth, error) {
	from := int(warmUp * float64(len(s.At)))
	if len(s.At)-from < minSamples {
		return nil, errShort
	}
	var all []Growth
	for _, name := range slices.Sorted(maps.Keys(s.Series)) {
		all = append(all, growth(name, s.Series[name][from:]))
	}
	return all, nil
}

// Beyond reports whether it is more at the end than it was: by more than the share, and by more than what wobbles anyway
// (2 MiB, files, goroutines or milliseconds). That more tasks are created per second is no growth.
func (g Growth) Beyond(share float64) bool {
	const wobble = 2
	return !strings.HasPrefix(g.Name, "created") && g.End > g.First*(1+share) && g.End > g.First+wobble
}

// OfMachine reports whether it tells how fast the machine itself was, which is nobody's growth.
func (g Growth) OfMachine() bool { return g.Name == machineSpeed }

func growth(name string, values []float64) Growth {
	third := len(values) / 3
	return Growth{name, median(values[:third]), median(values[len(values)-third:])}
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}
