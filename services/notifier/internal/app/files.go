package app

import (
	"context"
	"log/slog"
)

// otherFiles is what notifier opens besides its clients' connections, generously.
const otherFiles = 256

// warnOfFewFiles tells the operator when the system will refuse connections before MAX_CONNECTIONS does. Go has already
// raised the soft limit to the hard one (os, rlimit.go), so only the operator can help.
func warnOfFewFiles(ctx context.Context, connections int) {
	if limit, known := openFiles(); known && limit < uint64(connections)+otherFiles { //nolint:gosec // G115: at least 1
		slog.WarnContext(ctx, "fewer files can be opened than there may be connections: raise the limit (ulimit -n) or lower MAX_CONNECTIONS",
			"open_files", limit, "max_connections", connections)
	}
}
