package postgres

import (
	"context"
	"log/slog"
	"time"

	gormlog "gorm.io/gorm/logger"
)

// slow is from which duration on a statement is worth a log line.
const slow = 500 * time.Millisecond

// logger tells slow statements, with placeholders in place of values: titles and descriptions are nobody's business.
// Errors are logged where they end, not here.
type logger struct{}

func (l logger) LogMode(gormlog.LogLevel) gormlog.Interface { return l }
func (logger) Info(context.Context, string, ...any)         {}
func (logger) Warn(context.Context, string, ...any)         {}
func (logger) Error(context.Context, string, ...any)        {}

// ParamsFilter takes the values out of what Trace is given (gorm.ParamsFilter).
func (logger) ParamsFilter(_ context.Context, sql string, _ ...any) (string, []any) { return sql, nil }

func (logger) Trace(ctx context.Context, begin time.Time, statement func() (string, int64), _ error) {
	took := time.Since(begin)
	if took < slow {
		return
	}
	sql, rows := statement()
	slog.WarnContext(ctx, "slow statement", slog.String("sql", sql), slog.Int64("rows", rows), slog.Duration("took", took))
}
