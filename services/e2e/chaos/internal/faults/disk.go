package faults

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"

	"github.com/taskflow-suite/taskflow/services/e2e/chaos/internal/island"
)

// Disk is a small disk under the data of the database.
type Disk struct{ path string }

// diskSize is enough for a run, and filled in a moment.
const diskSize = "1500m"

// Mount puts a small disk where the database is going to keep its data. It is gone with the island.
func Mount(ctx context.Context, home string) (*Disk, error) {
	if err := os.MkdirAll(home, 0o755); err != nil { //nolint:gosec // G301: Postgres runs as another user
		return nil, err
	}
	if err := island.Do(ctx, "mount", "-t", "tmpfs", "-o", "mode=0755,size="+diskSize, "chaos", home); err != nil {
		return nil, err
	}
	return &Disk{home}, nil
}

func (d *Disk) ballast() string { return filepath.Join(d.path, "ballast") }

// Fill leaves no space on the disk.
func (d *Disk) Fill() error {
	file, err := os.Create(d.ballast())
	if err != nil {
		return err
	}
	// Large pieces first, then what is left of a page.
	for size := 1 << 20; size >= 512; size /= 8 {
		piece := make([]byte, size)
		for err == nil {
			_, err = file.Write(piece)
		}
		if !errors.Is(err, syscall.ENOSPC) && !errors.Is(err, io.ErrShortWrite) {
			return errors.Join(fmt.Errorf("fill the disk: %w", err), file.Close())
		}
		err = nil
	}
	return file.Close()
}

// Empty gives the space back.
func (d *Disk) Empty() error {
	err := os.Remove(d.ballast())
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}
