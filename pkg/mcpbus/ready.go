package mcpbus

import (
	"context"
	"log/slog"
	"time"

	"github.com/taskflow-suite/taskflow/pkg/errs"
)

const (
	// probeTimeout bounds one round trip of Run, in which the request is sent again after probeResend and longer pauses.
	probeTimeout = 10 * time.Second
	probeResend  = 300 * time.Millisecond
	// probePause follows a round trip that failed, probeInterval one that worked.
	probePause    = 500 * time.Millisecond
	probeInterval = 15 * time.Second
	// answerLimit is how old the last answer may be: two round trips may fail before the way is called broken.
	answerLimit = 3 * probeInterval
)

// Run makes a round trip now and again until ctx ends, then returns nil: first to learn that replies find this replica, which
// no signal of the sidecar tells, and what the server is; then to notice when they no longer do. The round trip is
// server/discover, which reads nobody's data.
func (c *Client) Run(ctx context.Context) error {
	for {
		pause := probeInterval
		if err := c.probe(ctx); err != nil {
			slog.DebugContext(ctx, "mcp server does not answer", "error", err)
			pause = probePause
		}
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case <-timer.C:
		}
	}
}

func (c *Client) probe(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	session, err := c.sdk.Connect(ctx, &transport{client: c, fresh: true}, nil)
	if err != nil {
		return err
	}
	return session.Close()
}

// Ready is the readiness: errs.Unavailable until the server has answered this replica, and when it has not for long. It needs
// Run, and asks nobody.
func (c *Client) Ready(context.Context) error {
	c.mu.Lock()
	answered := c.answered
	c.mu.Unlock()
	switch {
	case answered.IsZero():
		return errs.New(errs.Unavailable, "the MCP server has not answered yet")
	case time.Since(answered) > answerLimit:
		return errs.New(errs.Unavailable, "the MCP server has not answered for %v", time.Since(answered).Round(time.Second))
	}
	return nil
}
