package stack

import (
	"context"
	"fmt"
	"net/url"
)

// pooler is where a pooler in transaction mode listens, host:port; empty without one.
type pooler string

// startPooler puts the pooler of the options, if any, before the database.
func (s *Stack) startPooler(ctx context.Context) error {
	if s.o.Pooler == nil {
		return nil
	}
	address, err := s.o.Pooler(ctx, s.databaseURL)
	if err != nil {
		return fmt.Errorf("start the pooler: %w", err)
	}
	s.pooler = pooler(address)
	return nil
}

// url leads to the same database through the pooler, if there is one.
func (p pooler) url(direct string) string {
	u, err := url.Parse(direct)
	if p == "" || err != nil {
		return direct
	}
	u.Host = string(p)
	return u.String()
}

// stateURL is url for Dapr's state store, whose driver (pgx) otherwise prepares its statements in a session, and a pooler
// then knows nothing of them.
func (p pooler) stateURL(direct string) string {
	u, err := url.Parse(p.url(direct))
	if p == "" || err != nil {
		return direct
	}
	q := u.Query()
	q.Set("default_query_exec_mode", "exec")
	u.RawQuery = q.Encode()
	return u.String()
}

// env tells a service of the pooler.
func (p pooler) env() []string {
	if p == "" {
		return nil
	}
	return []string{"DATABASE_POOLER=true"}
}
