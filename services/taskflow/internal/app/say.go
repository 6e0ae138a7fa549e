package app

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"
)

// plain is a slog.Handler for people: one line for each record, the error instead of the sentence where there is one.
type plain struct{ out io.Writer }

func (plain) Enabled(_ context.Context, level slog.Level) bool { return level >= slog.LevelWarn }

func (p plain) Handle(_ context.Context, r slog.Record) error {
	text := r.Message
	r.Attrs(func(a slog.Attr) bool {
		if a.Key == "error" {
			text = a.Value.String()
		}
		return true
	})
	_, err := fmt.Fprintf(p.out, "taskflow: %s\n", strings.ReplaceAll(text, "\n", "\n          "))
	return err
}

func (p plain) WithAttrs([]slog.Attr) slog.Handler { return p }
func (p plain) WithGroup(string) slog.Handler      { return p }
