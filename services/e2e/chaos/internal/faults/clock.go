package faults

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// Clock is the clock of the database, which asks libfaketime for the time. Services cannot be fooled so: programs in Go read
// the clock from the kernel's own page and ask no library.
type Clock struct{ path string }

// library is where Debian and Ubuntu put libfaketime.
const library = "/usr/lib/*/faketime/libfaketime.so.1"

// ClockReason says why the clock cannot be set wrong on this machine; it is empty if it can.
func ClockReason() string {
	if found, _ := filepath.Glob(library); len(found) == 0 {
		return "needs libfaketime (Debian: apt-get install faketime)"
	}
	return ""
}

// NewClock makes a clock that is right, with its file in dir, and what the environment of the database needs.
func NewClock(dir string) (*Clock, []string, error) {
	found, _ := filepath.Glob(library)
	if len(found) == 0 {
		return nil, nil, errors.New(ClockReason())
	}
	c := &Clock{filepath.Join(dir, "clock")}
	return c, []string{
		"LD_PRELOAD=" + found[0], "FAKETIME_TIMESTAMP_FILE=" + c.path, "FAKETIME_NO_CACHE=1",
		// What is waited for is waited for as long as it takes, whatever the clock shows.
		"FAKETIME_DONT_FAKE_MONOTONIC=1", "DONT_FAKE_MONOTONIC=1",
	}, c.Set(0)
}

// Set has the clock be wrong by so much.
func (c *Clock) Set(by time.Duration) error {
	// Postgres, which reads it, runs as another user.
	next := c.path + ".new"
	if err := os.WriteFile(next, fmt.Appendf(nil, "%+d\n", int(by.Seconds())), 0o644); err != nil { //nolint:gosec // G306: as said
		return err
	}
	return os.Rename(next, c.path)
}
