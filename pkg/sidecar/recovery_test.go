package sidecar

import (
	"testing"
	"time"
)

// A step is a probe some seconds after the beginning: refused for a cause, or else answered as wanted.
type step struct {
	at      float64
	refused bool
	well    bool
}

func TestAServiceIsWellAgainWhenTheSidecarMustHavePaused(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		// active is when a delivery began or ended last, as seen at a time.
		active func(at float64) float64
		steps  []step
	}{
		{"never ill", always(0), []step{{0, false, true}, {2, false, true}, {4, false, true}}},
		{"two refusals pause nothing", always(0), []step{{0, true, false}, {2, true, false}, {4, false, true}}},
		{"three do, and it settles", always(0), []step{{0, true, false}, {2, true, false}, {4, true, false}, {6, false, false}, {7.1, false, true}, {9, false, true}}},
		{"deliveries in flight are waited for", until(8), []step{{0, true, false}, {2, true, false}, {4, true, false}, {6, false, false}, {8, false, false}, {10, false, false}, {11.1, false, true}}},
		{"but not for ever", until(1000), []step{{0, true, false}, {2, true, false}, {4, true, false}, {8, false, false}, {12, false, false}, {16, false, false}, {20, false, false}, {24, false, false}, {28, false, false}, {32, false, false}, {36, false, false}, {39.1, false, true}}},
		{"probes that did not come may have failed", always(0), []step{{0, false, true}, {5, false, false}, {7, false, false}, {8.1, false, true}}},
		{"nor may those before one that is refused, as when a process that was stopped goes on", always(0), []step{{0, false, true}, {15, true, false}, {15.01, false, false}, {17, false, false}, {18.1, false, true}}},
		{"ill again while it settles", always(0), []step{{0, true, false}, {2, true, false}, {4, true, false}, {6, false, false}, {8, true, false}, {10, false, false}, {11.1, false, true}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var r recovery
			began := time.Now()
			moment := func(seconds float64) time.Time { return began.Add(time.Duration(seconds * float64(time.Second))) }
			for _, s := range c.steps {
				if s.refused {
					r.ill(moment(s.at))
					continue
				}
				if got := r.well(moment(s.at), moment(c.active(s.at))); got != s.well {
					t.Errorf("after %g s it is well: %t", s.at, got)
				}
			}
		})
	}
}

func always(at float64) func(float64) float64 { return func(float64) float64 { return at } }

func until(end float64) func(float64) float64 {
	return func(at float64) float64 { return min(at, end) }
}
