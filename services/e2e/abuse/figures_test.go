package abuse_test

import (
	"bufio"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/taskflow-suite/taskflow/services/internal/storm"
)

// figures are what a service has of each, by service.
type figures map[string]measured

type measured struct{ goroutines, descriptors, memory float64 }

const (
	// slack is what a service may have more of than before: connections to the database and to the sidecar come and go.
	slack = 30
	// most is what a service may take at the end, in bytes: what GOMEMLIMIT lets the heap grow to, and a little for the rest.
	most = 260 << 20
)

// figures reads the metrics of all services.
func (w *world) figures(t *testing.T) figures {
	t.Helper()
	all := figures{}
	for _, name := range doors {
		m, err := w.measure(name)
		if err != nil {
			t.Fatal(err)
		}
		all[name] = m
	}
	return all
}

func (w *world) measure(name string) (m measured, err error) {
	res, err := plain().Get(w.URL(name) + "/metrics")
	if err != nil {
		return m, err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return m, fmt.Errorf("the metrics of %s are answered with %d", name, res.StatusCode)
	}
	wanted := map[string]*float64{
		"go_goroutines": &m.goroutines, "process_open_fds": &m.descriptors, "process_resident_memory_bytes": &m.memory,
	}
	lines := bufio.NewScanner(res.Body)
	for lines.Scan() {
		metric, value, _ := strings.Cut(lines.Text(), " ")
		if target := wanted[metric]; target != nil {
			if *target, err = strconv.ParseFloat(value, 64); err != nil {
				return m, err
			}
			delete(wanted, metric)
		}
	}
	if len(wanted) > 0 {
		return m, fmt.Errorf("%s does not tell %v", name, wanted)
	}
	return m, lines.Err()
}

// same fails the test unless every service comes back to what it had before.
func (w *world) same(t *testing.T, before figures) {
	t.Helper()
	for name, was := range before {
		storm.Eventually(t, time.Minute, func() error {
			is, err := w.measure(name)
			if err == nil && (is.goroutines > was.goroutines+slack || is.descriptors > was.descriptors+slack || is.memory > most) {
				err = fmt.Errorf("%s had %v and has %v", name, was, is)
			}
			return err
		})
		is, err := w.measure(name)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: %v before, %v after", name, was, is)
	}
}

func (m measured) String() string {
	return fmt.Sprintf("%.0f goroutines, %.0f descriptors, %.0f MiB", m.goroutines, m.descriptors, m.memory/(1<<20))
}
