package bench

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"time"
)

func soaked40(values map[string]func(i int) float64) *Soaked {
	s := &Soaked{}
	for i := range 40 {
		now := map[string]float64{}
		for name, value := range values {
			now[name] = value(i)
		}
		s.add(time.Duration(i)*10*time.Second, now)
	}
	return s
}

func TestWhatGrowsIsNamedAndWhatOnlyWarmsUpOrWobblesIsNot(t *testing.T) {
	t.Parallel()
	s := soaked40(map[string]func(int) float64{
		"RSS MiB leaking":  func(i int) float64 { return 50 + float64(i) },
		"RSS MiB warming":  func(i int) float64 { return 50 + 20*float64(min(i, 9)) },
		"RSS MiB wobbling": func(i int) float64 { return 50 + float64(i%5) },
		"goroutines few":   func(i int) float64 { return 1 + float64(i/20) },
		"RSS MiB falling":  func(i int) float64 { return 100 - float64(i) },
		"created tasks/s":  func(i int) float64 { return 100 + float64(i) },
	})
	all, err := s.Compare()
	if err != nil || len(all) != 6 {
		t.Fatal(all, err)
	}
	for _, g := range all {
		if g.Beyond(0.1) != (g.Name == "RSS MiB leaking") {
			t.Errorf("%+v has grown: %t", g, g.Beyond(0.1))
		}
	}
}

func TestOfAFewSamplesNothingIsSaid(t *testing.T) {
	t.Parallel()
	s := &Soaked{}
	s.add(time.Second, map[string]float64{"x": 1})
	if _, err := s.Compare(); !errors.Is(err, errShort) {
		t.Errorf("it says %v", err)
	}
}

func TestThePictureIsWellFormedAndHasALineForEachThing(t *testing.T) {
	t.Parallel()
	s := soaked40(map[string]func(int) float64{
		"RSS MiB a<b":  func(i int) float64 { return float64(i) },
		"goroutines x": func(int) float64 { return 7 },
		"POST p99 ms":  func(int) float64 { return 1.5 },
	})
	var picture, table bytes.Buffer
	if err := errors.Join(s.Plot(&picture), s.CSV(&table)); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(picture.String(), "<polyline"); n != 3 {
		t.Errorf("it has %d lines", n)
	}
	for d := xml.NewDecoder(&picture); ; {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	if rows := strings.Split(strings.TrimSpace(table.String()), "\n"); len(rows) != 41 || rows[0] != "seconds,POST p99 ms,RSS MiB a<b,goroutines x" {
		t.Errorf("the table has %d rows, the first is %q", len(rows), rows[0])
	}
}

func TestAProcessIsCountedAsItIs(t *testing.T) {
	t.Parallel()
	before := openFiles(os.Getpid())
	file, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	if now := openFiles(os.Getpid()); before == 0 || now == 0 {
		t.Errorf("%d open files, then %d", before, now)
	}
	if children(os.Getppid()) < 1 {
		t.Error("this process is nobody's child")
	}
}

func TestTheSameWorkTakesMeasurableTime(t *testing.T) {
	t.Parallel()
	same := newReference()
	if d := same.take(); d <= 0 || d == time.Hour {
		t.Errorf("it took %s", d)
	}
	seen := map[uint32]bool{}
	for range 1000 {
		seen[same.at] = true
		same.at = same.next[same.at]
	}
	if len(seen) != 1000 {
		t.Errorf("1000 steps led to %d places", len(seen))
	}
}
