package due

import (
	"context"
	"time"
)

// Clock is the time by which a Loop works.
type Clock interface {
	Now() time.Time
	// Sleep returns after d, or when ctx ends.
	Sleep(ctx context.Context, d time.Duration)
}

// machine is the machine's clock.
type machine struct{}

func (machine) Now() time.Time { return time.Now() }

func (machine) Sleep(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
