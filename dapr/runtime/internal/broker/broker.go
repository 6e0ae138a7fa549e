// Package broker is TaskFlow's Kafka-protocol broker for one machine: franz-go's
// kfake with a data directory, in a process of its own.
//
// It owns what kfake leaves open for a broker that is kept: who may connect and
// do what (access.go), that nobody is served before that is in force (gate.go),
// what becomes of old records (retention.go) and of members that died in a group
// (groups.go), and that two processes never write
// one directory (lock.go). It refuses to own the protocol and the file formats,
// which are kfake's, and it refuses replication, compaction and automatic
// creation of topics: a topic that nobody declared is an error, not a surprise.
package broker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl/scram"
)

// How long the broker waits for itself.
const (
	// setupTimeout bounds what happens between binding the port and serving it.
	setupTimeout = 30 * time.Second
	// closeTimeout bounds the snapshot written by an orderly shutdown. Nothing is
	// lost if it is cut short: the next start reads the logs instead.
	closeTimeout = 15 * time.Second
)

// segmentBytes is when a partition starts a new file. Disk space comes back one
// whole file at a time, so kfake's 100 MiB would keep the records of a quiet
// topic for ever; 16 MiB gives them back without making many files.
const segmentBytes = 16 << 20

// Config says where a broker listens, what it keeps and whom it serves.
type Config struct {
	// Listen is the TCP address to serve, host:port. Port 0 takes a free one.
	Listen string
	// Advertise is the host:port that clients are told to connect to; empty means
	// Listen. Needed when Listen is an address that clients cannot dial, as 0.0.0.0.
	Advertise string
	// Data is the directory that holds all state. It is created if it is missing.
	Data string
	// Sync makes every write wait for the disk. Without it an acknowledged record
	// survives the death of the process, but not that of the machine.
	Sync bool
	// RetentionCheck is how often records older than their topic's retention.ms
	// are looked for. Zero means DefaultRetentionCheck.
	RetentionCheck time.Duration
	// MaxRecords is how many records a partition keeps at most, whatever their age:
	// the index is in memory, and this is its bound. Zero means DefaultMaxRecords,
	// less means no bound.
	MaxRecords int64
	// Users may connect, with SCRAM-SHA-256. None means everybody may, unasked. The
	// first is the administrator, who may do everything.
	Users []User
	// Grants bind every user but the first. Nil leaves all users unbound; an empty
	// list that is not nil forbids them everything.
	Grants []Grant
	// Log receives what the broker has to say. Nil means slog.Default().
	Log *slog.Logger
}

// What a broker does if nothing else is said.
const (
	DefaultRetentionCheck = time.Minute
	// 90 bytes of index each: a busy topic of 12 partitions takes 110 MB, within what a stack lets the broker have.
	DefaultMaxRecords = 100_000
)

// Run serves until ctx ends, and returns nil if that is why it stopped. ready is
// called once, with the address that clients use, when the first client is served:
// state read, access rules in force, expired records gone.
func Run(ctx context.Context, cfg Config, ready func(addr string)) (err error) {
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	if cfg.RetentionCheck <= 0 {
		cfg.RetentionCheck = DefaultRetentionCheck
	}
	if cfg.MaxRecords == 0 {
		cfg.MaxRecords = DefaultMaxRecords
	}
	if err := cfg.check(); err != nil {
		return err
	}
	if err := os.MkdirAll(cfg.Data, 0o700); err != nil {
		return fmt.Errorf("make the data directory: %w", err)
	}
	unlock, err := lock(filepath.Join(cfg.Data, "lock"))
	if err != nil {
		return err
	}
	defer unlock()
	if err := forgetSettings(cfg.Data); err != nil {
		return err
	}

	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", cfg.Listen)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	g, err := newGate(listener, cfg.Advertise)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	cluster, err := kfake.NewCluster(cfg.options(g)...)
	if err != nil {
		return errors.Join(fmt.Errorf("open %s: %w", cfg.Data, err), g.Close())
	}
	defer func() { err = errors.Join(err, closeWithin(cluster, closeTimeout)) }()
	roll := newAttendance()
	roll.watch(cluster)

	client, err := cfg.insideClient(g)
	if err != nil {
		return err
	}
	defer client.Close()
	admin := kadm.NewClient(client)

	if err := cfg.prepare(ctx, admin); err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return err
	}

	g.open()
	if ready != nil {
		ready(g.Addr().String())
	}
	var calling sync.WaitGroup
	defer calling.Wait()
	calling.Go(func() { roll.keepCalling(ctx, client, cfg.Log) })
	cfg.keepSweeping(ctx, admin)
	return nil
}

// prepare does what has to be done before anybody is served.
func (cfg Config) prepare(ctx context.Context, admin *kadm.Client) error {
	ctx, cancel := context.WithTimeout(ctx, setupTimeout)
	defer cancel()
	if err := applyGrants(ctx, admin, cfg.Grants); err != nil {
		return err
	}
	// After a kill the logs are read from the start of their files, which brings
	// back records that had expired. They go before anybody can read them.
	if err := sweep(ctx, admin, time.Now(), cfg.MaxRecords); err != nil {
		return err
	}
	// kfake has just read every record there is; none of it is needed any more.
	debug.FreeOSMemory()
	return nil
}

// check reports every mistake in the configuration at once.
func (cfg Config) check() error {
	var errs []error
	if cfg.Data == "" {
		errs = append(errs, errors.New("no data directory given"))
	}
	host, _, err := net.SplitHostPort(cfg.Listen)
	switch {
	case err != nil:
		errs = append(errs, fmt.Errorf("listen address %q: %w", cfg.Listen, err))
	case cfg.Advertise == "" && (host == "" || net.ParseIP(host).IsUnspecified()):
		errs = append(errs, fmt.Errorf("clients cannot dial %q: say which address they use", cfg.Listen))
	}
	if cfg.Grants != nil && len(cfg.Users) == 0 {
		errs = append(errs, errors.New("access rules need users to apply to"))
	}
	seen := map[string]bool{}
	for _, u := range cfg.Users {
		if u.Name == "" || u.Password == "" {
			errs = append(errs, fmt.Errorf("user %q needs a name and a password", u.Name))
		}
		if seen[u.Name] {
			errs = append(errs, fmt.Errorf("user %q is given twice", u.Name))
		}
		seen[u.Name] = true
	}
	return errors.Join(errs...)
}

func (cfg Config) options(g *gate) []kfake.Opt {
	opts := []kfake.Opt{
		kfake.NumBrokers(1), // its id is 0
		kfake.ClusterID("taskflow"),
		kfake.ListenFn(func(string, string) (net.Listener, error) { return g, nil }),
		kfake.DataDir(cfg.Data),
		kfake.WithLogger(kfakeLog{cfg.Log}),
		kfake.BrokerConfigs(map[string]string{
			"log.segment.bytes": strconv.Itoa(segmentBytes),
			// kfake's own retention would empty a partition entirely, and an empty
			// partition forgets its offsets on a restart. See sweep.
			"log.cleaner.backoff.ms": strconv.FormatInt((10 * 365 * 24 * time.Hour).Milliseconds(), 10),
		}),
	}
	if cfg.Sync {
		opts = append(opts, kfake.SyncWrites())
	}
	if len(cfg.Users) > 0 {
		opts = append(opts, kfake.EnableSASL())
	}
	if cfg.Grants != nil {
		opts = append(opts, kfake.EnableACLs())
	}
	for i, u := range cfg.Users {
		if i == 0 {
			opts = append(opts, kfake.Superuser(mechanism, u.Name, u.Password))
		} else {
			opts = append(opts, kfake.User(mechanism, u.Name, u.Password))
		}
	}
	return opts
}

// insideClient is a client that comes in behind the gate, as the administrator.
func (cfg Config) insideClient(g *gate) (*kgo.Client, error) {
	opts := []kgo.Opt{
		kgo.SeedBrokers(g.Addr().String()),
		kgo.Dialer(g.dialInside),
		kgo.ClientID("taskflow-broker"),
		kgo.RetryTimeout(setupTimeout),
	}
	if len(cfg.Users) > 0 {
		admin := cfg.Users[0]
		opts = append(opts, kgo.SASL(scram.Auth{User: admin.Name, Pass: admin.Password}.AsSha256Mechanism()))
	}
	return kgo.NewClient(opts...)
}

// forgetSettings removes the settings kfake keeps beside the records. It would
// prefer them to the ones it is started with, and a password or a rule that is
// gone from the command line would go on working.
func forgetSettings(dir string) error {
	for _, name := range []string{"sasl.json", "acls.json", "broker_configs.json"} {
		if err := os.Remove(filepath.Join(dir, name)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("forget earlier settings: %w", err)
		}
	}
	return nil
}

func closeWithin(cluster *kfake.Cluster, limit time.Duration) error {
	done := make(chan struct{})
	go func() {
		defer close(done)
		cluster.Close()
	}()
	select {
	case <-done:
		return nil
	case <-time.After(limit):
		return fmt.Errorf("the broker did not close within %s", limit)
	}
}
