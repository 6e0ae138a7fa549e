// Command build prints where daprd and the broker are, one path a line in the
// order asked for, building what is not stored yet. It is run in this module's
// directory: `go run ./cmd/build daprd broker`.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/taskflow-suite/taskflow/dapr/runtime/internal/binaries"
)

// limit is far above a cold build of daprd on two slow cores.
const limit = 30 * time.Minute

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	names := os.Args[1:]
	if len(names) == 0 {
		names = binaries.Programs
	}
	for _, name := range names {
		path, err := binaries.Path(ctx, ".", name)
		if err != nil {
			fmt.Fprintln(os.Stderr, "build:", err)
			os.Exit(1)
		}
		fmt.Fprintln(os.Stdout, path)
	}
}
