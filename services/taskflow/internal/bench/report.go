package bench

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
)

// Report is what was measured, with the machine it was measured on.
type Report struct {
	Taken   time.Time `json:"taken"`
	Machine string    `json:"machine"`
	Figures []Figure  `json:"figures"`
}

// Figure is one measured number.
type Figure struct {
	Name  string  `json:"name"`
	Value float64 `json:"value"`
	// Unit is ms, MiB, tasks/s, …; empty for a plain number or ratio.
	Unit string `json:"unit,omitempty"`
}

func (r *Report) add(name string, value float64, unit string) {
	r.Figures = append(r.Figures, Figure{name, value, unit})
}

func (r *Report) time(name string, d time.Duration) {
	r.add(name, float64(d.Microseconds())/1000, "ms")
}

// Print writes the report as a table.
func (r *Report) Print(w io.Writer) {
	fmt.Fprintf(w, "%s\n%s\n\n", r.Taken.Format(time.RFC3339), r.Machine)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	for _, f := range r.Figures {
		fmt.Fprintf(t, "%s\t %s\t %s\t\n", f.Name, number(f.Value), f.Unit)
	}
	_ = t.Flush()
}

// JSON writes the report for programs.
func (r *Report) JSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(r)
}

func number(v float64) string {
	switch {
	case v >= 100:
		return strconv.FormatFloat(v, 'f', 0, 64)
	case v >= 10:
		return strconv.FormatFloat(v, 'f', 1, 64)
	default:
		return strconv.FormatFloat(v, 'f', 2, 64)
	}
}

// machine describes where this runs.
func machine() string {
	cpu, memory := "unknown CPU", ""
	if text, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		cpu = field(string(text), "model name")
	}
	if text, err := os.ReadFile("/proc/meminfo"); err == nil {
		if kib, err := strconv.Atoi(strings.Fields(field(string(text), "MemTotal"))[0]); err == nil {
			memory = fmt.Sprintf(", %d GiB memory", kib>>20)
		}
	}
	return fmt.Sprintf("%s, %d CPUs%s, %s/%s, %s; clients, services, sidecars, broker and Postgres all on it",
		cpu, runtime.NumCPU(), memory, runtime.GOOS, runtime.GOARCH, runtime.Version())
}

// field reads "name : value" as /proc writes it.
func field(text, name string) string {
	for line := range strings.Lines(text) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return "unknown"
}

// cpu is the processor time, in seconds, that a process and its living children have used: Postgres is many.
func cpu(pid int) float64 {
	const ticks = 100 // per second, USER_HZ on every Linux
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	total := 0.0
	for _, name := range stats {
		text, err := os.ReadFile(name)
		if err != nil {
			continue
		}
		// The name, in brackets, may hold anything; behind it: state, ppid, …, utime (12th), stime (13th).
		_, rest, _ := strings.Cut(string(text), ") ")
		parts := strings.Fields(rest)
		own := name == fmt.Sprintf("/proc/%d/stat", pid)
		if len(parts) < 13 || !own && parts[1] != strconv.Itoa(pid) {
			continue
		}
		for _, t := range parts[11:13] {
			n, _ := strconv.ParseFloat(t, 64)
			total += n / ticks
		}
	}
	return total
}

// rss is a process's resident memory in MiB, 0 if it cannot be told.
func rss(pid int) float64 { return memoryOf(pid, "VmRSS") }

// peak is the most resident memory a process has ever had, in MiB, 0 if it cannot be told.
func peak(pid int) float64 { return memoryOf(pid, "VmHWM") }

func memoryOf(pid int, name string) float64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	parts := strings.Fields(field(string(text), name))
	kib, err := strconv.ParseFloat(parts[0], 64)
	if err != nil {
		return 0
	}
	return kib / 1024
}
