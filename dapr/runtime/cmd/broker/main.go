// Command broker is a Kafka-protocol broker for one machine. It is a door:
// everything it does is in internal/broker.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/pflag"

	"github.com/taskflow-suite/taskflow/dapr/runtime/internal/broker"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := run(ctx, os.Args[1:])
	switch {
	case err == nil, errors.Is(err, pflag.ErrHelp):
	default:
		fmt.Fprintln(os.Stderr, "broker:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	cfg, err := configFrom(args, os.Getenv)
	if err != nil {
		return err
	}
	cfg.Log = slog.New(slog.NewJSONHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	return broker.Run(ctx, cfg, func(addr string) {
		// One line for whoever started this process and waits for it.
		_ = json.NewEncoder(os.Stdout).Encode(struct {
			Msg  string `json:"msg"`
			Addr string `json:"addr"`
		}{"broker ready", addr})
	})
}
