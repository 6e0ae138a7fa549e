package broker

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/twmb/franz-go/pkg/kfake"
)

// kfakeLog writes what kfake says as our log. Its messages are made of words and
// values, so they become an attribute, and the message stays constant.
type kfakeLog struct{ log *slog.Logger }

// Logf implements kfake.Logger.
func (l kfakeLog) Logf(level kfake.LogLevel, msg string, args ...any) {
	at := slog.LevelDebug
	switch level {
	case kfake.LogLevelNone:
		return
	case kfake.LogLevelError:
		at = slog.LevelError
	case kfake.LogLevelWarn:
		at = slog.LevelWarn
	case kfake.LogLevelInfo, kfake.LogLevelDebug:
	}
	ctx := context.Background()
	if !l.log.Enabled(ctx, at) {
		return
	}
	l.log.Log(ctx, at, "kafka", slog.String("detail", fmt.Sprintf(msg, args...)))
}
