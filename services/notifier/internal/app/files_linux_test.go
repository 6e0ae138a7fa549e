package app

import (
	"syscall"
	"testing"
)

// Ten thousand connections are ten thousand files. Go is expected to have raised the soft limit to the hard one.
func TestAsManyFilesMayBeOpenedAsTheSystemAllows(t *testing.T) {
	t.Parallel()
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	if got, known := openFiles(); !known || got != limit.Max {
		t.Errorf("%d of %d files may be opened", got, limit.Max)
	}
}
