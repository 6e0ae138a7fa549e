package postgres

import (
	"errors"
	"net/url"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/taskflow-suite/taskflow/pkg/config"
)

// Config says which database to use and how. Its zero numbers mean their defaults, so that Config{URL: …} is complete.
type Config struct {
	URL config.Secret `env:"DATABASE_URL" required:"true" secret:"true" doc:"Postgres connection URL; its search_path, if it has one, is the schema used"`

	MaxConns        int           `env:"DATABASE_MAX_CONNS" default:"20" doc:"connections at most"`
	MaxIdleConns    int           `env:"DATABASE_MAX_IDLE_CONNS" default:"20" doc:"connections kept open when idle"`
	ConnLifetime    time.Duration `env:"DATABASE_CONN_LIFETIME" default:"30m" doc:"a connection is replaced after this time, so that a failed-over server is found again"`
	ConnIdleTime    time.Duration `env:"DATABASE_CONN_IDLE_TIME" default:"5m" doc:"an idle connection is closed after this time"`
	ConnectDeadline time.Duration `env:"DATABASE_CONNECT_DEADLINE" default:"30s" doc:"how long the start waits for the database to answer"`

	StatementTimeout time.Duration `env:"DATABASE_STATEMENT_TIMEOUT" default:"10s" doc:"the server cancels a statement after this time"`
	LockTimeout      time.Duration `env:"DATABASE_LOCK_TIMEOUT" default:"5s" doc:"the server gives up waiting for a lock after this time"`
	// Pooler is for PgBouncer in transaction mode and its like (Neon's pooled host): no prepared statements, and no
	// session settings, because a session is shared. Set the two timeouts on the role then (ALTER ROLE … SET).
	Pooler bool `env:"DATABASE_POOLER" default:"false" doc:"the URL leads to a pooler in transaction mode (PgBouncer, Neon -pooler)"`
}

// At is the Config of a database with every default.
func At(url string) Config { return Config{URL: config.NewSecret(url)} }

func (c Config) withDefaults() Config {
	number := func(n *int, d int) {
		if *n == 0 {
			*n = d
		}
	}
	span := func(t *time.Duration, d time.Duration) {
		if *t == 0 {
			*t = d
		}
	}
	number(&c.MaxConns, 20)
	number(&c.MaxIdleConns, c.MaxConns)
	span(&c.ConnLifetime, 30*time.Minute)
	span(&c.ConnIdleTime, 5*time.Minute)
	span(&c.ConnectDeadline, 30*time.Second)
	span(&c.StatementTimeout, 10*time.Second)
	span(&c.LockTimeout, 5*time.Second)
	return c
}

// transactionIdle is how long the server keeps a transaction whose client says nothing. A machine that vanished while
// it held locks would otherwise keep them until TCP notices, hours later. It is longer than the relay's publish
// deadline, during which a transaction is meant to be silent.
const transactionIdle = 30 * time.Second

// conn is what pgx connects with.
func (c Config) conn() (*pgx.ConnConfig, error) {
	conn, err := pgx.ParseConfig(c.URL.Reveal())
	if err != nil || c.URL.IsZero() {
		// The error of pgx quotes the URL, in which there may be a password.
		return nil, errors.New("DATABASE_URL is not a Postgres URL such as postgres://user:password@host:5432/database")
	}
	conn.ConnectTimeout = 5 * time.Second
	if c.Pooler {
		conn.DefaultQueryExecMode = pgx.QueryExecModeSimpleProtocol
		return conn, nil
	}
	milliseconds := func(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }
	conn.RuntimeParams["timezone"] = "UTC"
	conn.RuntimeParams["statement_timeout"] = milliseconds(c.StatementTimeout)
	conn.RuntimeParams["lock_timeout"] = milliseconds(c.LockTimeout)
	conn.RuntimeParams["idle_in_transaction_session_timeout"] = milliseconds(transactionIdle)
	return conn, nil
}

// InSchema is the URL with another search_path: the same database, seen through one schema.
func InSchema(databaseURL, schema string) (string, error) {
	u, err := url.Parse(databaseURL)
	if err != nil || u.Host == "" {
		return "", errors.New("not a Postgres URL")
	}
	q := u.Query()
	q.Set("search_path", schema)
	u.RawQuery = q.Encode()
	return u.String(), nil
}
