package ws

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"time"
)

// watchTokens closes the connections whose API tokens do not count any more, until the end of ctx. One question is asked for
// many connections, and none while all of them are sessions, as those of browsers are.
func (s *Server) watchTokens(ctx context.Context) {
	if s.tokens == nil {
		<-ctx.Done()
		return
	}
	ticker := time.NewTicker(tokensEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			s.closeRevoked(ctx)
		}
	}
}

// closeRevoked does so once. What nobody can say now leaves the connections open: who cannot be asked could not be told of a
// revocation either.
func (s *Server) closeRevoked(running context.Context) {
	ctx, cancel := context.WithTimeout(running, verifyWait)
	defer cancel()
	by := s.byToken()
	for ids := range slices.Chunk(slices.Collect(maps.Keys(by)), tokensAtOnce) {
		live, err := s.tokens.Live(ctx, ids)
		if err != nil {
			if running.Err() == nil {
				slog.WarnContext(ctx, "API tokens of open connections cannot be looked up", slog.String("error", err.Error()))
			}
			return
		}
		for _, id := range live {
			delete(by, id)
		}
		for _, id := range ids {
			for _, c := range by[id] {
				c.revoke(id)
			}
		}
	}
}

// byToken are the connections that came with an API token, by its id.
func (s *Server) byToken() map[string][]*conn {
	s.mu.Lock()
	all := slices.Collect(maps.Keys(s.conns))
	s.mu.Unlock()
	by := map[string][]*conn{}
	for _, c := range all {
		c.mu.Lock()
		id := c.tokenID
		c.mu.Unlock()
		if id != "" {
			by[id] = append(by[id], c)
		}
	}
	return by
}

// revoke ends the connection, unless it has shown another token meanwhile.
func (c *conn) revoke(tokenID string) {
	c.mu.Lock()
	still := c.tokenID == tokenID
	c.mu.Unlock()
	if still {
		c.finish(ending{Code: TokenExpired})
	}
}
