// Package postgres is the one Postgres behind every service: the connection, the numbered migrations, and the tables
// that are the same for every domain — the event log, the outbox, the inbox and the sequences.
//
// It owns how a change and its events get into one transaction (Transaction, Tx.Append) and how the log is read again
// (Log). It refuses to know what the events are about: the tables of a domain are read and written by a store of their
// own (taskstore, or a package of the one service that needs it), whose DDL stands in migrations/ all the same, because
// there is one sequence of numbers.
//
// Lock order. Every transaction takes its row locks in this order, so that no two wait for each other:
//
//  1. the profile, at once in the strength that the transaction will need
//  2. the idempotency key, the API token, the row of the tool call, or that of the inbox
//  3. rows of the domain: tasks, then series, then alarms; then conversations and their messages. Several of a table are
//     locked in the order of their ids, or under a lock of the profile that keeps all others away, or with SKIP LOCKED
//  4. sequences, in the order of (user, topic)
//
// Who locks a series, or several tasks of which some may have one, has locked the profile in NO KEY UPDATE: whatever the order
// then, nobody else holds a series of this user's. SHARE would do for some, but who shares a row overtakes whoever waits for it
// alone, and a user's many triggers would keep that user's batches away.
// Only a claim, which takes no other row of a domain, locks series of users whose profile it has not. An occurrence is made
// with its series locked, and waits for whoever has written a task of the same series and occurrence: who has, does not lock a
// series any more. What is written behind the lock of a task has no foreign key to the profile, whose check would lock it.
//
// The last is seen to by Transaction: what was appended is written when the function it runs has returned. From that
// statement on, the user's other writers of the topic wait for the commit; that is what makes the order of a user's events
// the order of that user's commits.
package postgres

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/stdlib"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"

	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/telemetry"
)

// DB is a pool of connections. It is safe for concurrent use.
type DB struct {
	gorm *gorm.DB
	pool *sql.DB

	mu    sync.Mutex
	wakes []chan struct{}
}

// Open connects, trying again until the database answers or the connect deadline is over: then errs.Unavailable.
// Close gives the connections back.
func Open(ctx context.Context, c Config) (*DB, error) {
	c = c.withDefaults()
	conn, err := c.conn()
	if err != nil {
		return nil, err
	}
	// An idle connection is tried before it is used again, if a second or more has passed (pgx stdlib, ResetSession).
	pool := stdlib.OpenDB(*conn)
	pool.SetMaxOpenConns(c.MaxConns)
	pool.SetMaxIdleConns(c.MaxIdleConns)
	pool.SetConnMaxLifetime(c.ConnLifetime)
	pool.SetConnMaxIdleTime(c.ConnIdleTime)
	db := &DB{pool: pool}
	if err := db.await(ctx, c.ConnectDeadline); err != nil {
		return nil, errors.Join(err, pool.Close())
	}
	db.gorm, err = gorm.Open(postgres.New(postgres.Config{Conn: pool}), &gorm.Config{
		// Every write is in a transaction of Transaction's already, and pgx keeps the prepared statements.
		SkipDefaultTransaction: true,
		PrepareStmt:            false,
		DisableAutomaticPing:   true,
		TranslateError:         true,
		// Names the columns instead of *, so that a column only Postgres uses does not travel.
		QueryFields: true,
		Logger:      logger{},
		NowFunc:     func() time.Time { return time.Now().UTC().Truncate(time.Millisecond) },
	})
	if err != nil {
		return nil, errors.Join(err, pool.Close())
	}
	return db, nil
}

// await returns when the database answers.
func (db *DB) await(ctx context.Context, deadline time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, deadline)
	defer cancel()
	pause := 100 * time.Millisecond
	for {
		err := db.Ping(ctx)
		if err == nil || !errs.Is(err, errs.Unavailable) {
			return err
		}
		slog.InfoContext(ctx, "waiting for the database", slog.String("error", err.Error()))
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return err
		case <-timer.C:
		}
		pause = min(2*pause, 2*time.Second)
	}
}

// Close closes all connections.
func (db *DB) Close() error { return db.pool.Close() }

// Ping asks the database for an answer. errs.Unavailable without one.
func (db *DB) Ping(ctx context.Context) error { return Failure(db.pool.PingContext(ctx)) }

// Pool tells how the pool is used, for metrics.
func (db *DB) Pool() sql.DBStats { return db.pool.Stats() }

// Read is for queries outside a transaction. Pass their errors through Failure.
func (db *DB) Read(ctx context.Context) *gorm.DB { return db.gorm.WithContext(ctx) }

// Tx is one transaction, in READ COMMITTED. It is not safe for concurrent use, and is over when the function it was
// given to returns.
type Tx struct {
	*gorm.DB
	progress *progress
}

// progress is what a transaction knows besides its rows.
type progress struct {
	cause  string
	events []eventRow // to be written at the end
	// announced says that there is something new in the outbox.
	announced bool
}

// Under is the same transaction for statements and events of another context, one of the transaction's own most likely.
func (tx *Tx) Under(ctx context.Context) *Tx { return &Tx{tx.WithContext(ctx), tx.progress} }

// Transaction runs fn in a transaction: all it did and the events it appended are committed if it returns nil, nothing
// otherwise. After a commit with events every relay of this process is woken.
//
// An error of fn that has a kind comes back as it is; others are classified by Failure. errs.Unavailable may also mean
// that the answer to the commit was lost: then nobody knows.
func (db *DB) Transaction(ctx context.Context, fn func(tx *Tx) error) error {
	tx := &Tx{progress: &progress{}}
	// What is appended has this span as its parent: it was committed by it.
	ctx, span := telemetry.Begin(ctx, telemetry.Asks, "transaction", "db.system.name", "postgresql")
	err := db.gorm.WithContext(ctx).Transaction(func(g *gorm.DB) error {
		tx.DB = g
		if err := fn(tx); err != nil {
			return err
		}
		return tx.finish()
	})
	span.Note("taskflow.events", len(tx.progress.events))
	span.End(err)
	if err != nil {
		return Failure(err)
	}
	if tx.progress.announced {
		db.wake()
	}
	return nil
}

// Snapshot runs fn in a transaction that sees one moment of the database and can change nothing. Errors as in
// Transaction.
func (db *DB) Snapshot(ctx context.Context, fn func(tx *Tx) error) error {
	return Failure(db.gorm.WithContext(ctx).Transaction(func(g *gorm.DB) error {
		tx := &Tx{g, &progress{}}
		if err := fn(tx); err != nil {
			return err
		}
		return tx.finish() // which fails if there is anything
	}, &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true}))
}

// Pinned runs fn with a DB that has one connection of the pool to itself for as long as fn runs, so that it never waits
// behind the requests. fn must return when the connection fails. Errors as in Transaction.
func (db *DB) Pinned(ctx context.Context, fn func(*DB) error) error {
	return Failure(db.gorm.WithContext(ctx).Connection(func(g *gorm.DB) error {
		return fn(&DB{gorm: g, pool: db.pool})
	}))
}

// Committed returns a channel that gets a value after commits that wrote to the outbox. Several commits may give one
// value. stop ends it.
func (db *DB) Committed() (wakes <-chan struct{}, stop func()) {
	c := make(chan struct{}, 1)
	db.mu.Lock()
	defer db.mu.Unlock()
	db.wakes = append(db.wakes, c)
	return c, func() {
		db.mu.Lock()
		defer db.mu.Unlock()
		for i, other := range db.wakes {
			if other == c {
				db.wakes = append(db.wakes[:i:i], db.wakes[i+1:]...)
				return
			}
		}
	}
}

// wake never blocks: a relay that has not taken the last value yet will look anyway.
func (db *DB) wake() {
	db.mu.Lock()
	defer db.mu.Unlock()
	for _, c := range db.wakes {
		select {
		case c <- struct{}{}:
		default:
		}
	}
}
