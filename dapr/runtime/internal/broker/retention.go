package broker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
)

// sweepTimeout bounds one look for old records.
const sweepTimeout = 30 * time.Second

// keepSweeping sweeps every cfg.RetentionCheck until ctx ends. A sweep that fails is logged
// and tried again: a broker that keeps too much is better than none.
func (cfg Config) keepSweeping(ctx context.Context, admin *kadm.Client) {
	tick := time.NewTicker(cfg.RetentionCheck)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			attempt, cancel := context.WithTimeout(ctx, sweepTimeout)
			err := sweep(attempt, admin, now, cfg.MaxRecords)
			cancel()
			if err != nil && ctx.Err() == nil {
				cfg.Log.WarnContext(ctx, "could not remove expired records", slog.Any("error", err))
			}
		}
	}
}

// sweep removes the records that are older than their topic's retention.ms, and
// the oldest of a partition with more than maxRecords (if that is positive), but
// never the last one of a partition. The last one stays because kfake learns a
// partition's next offset from its newest record: with none left, the next start
// would count from zero again, and every group would stand beyond the end.
func sweep(ctx context.Context, admin *kadm.Client, now time.Time, maxRecords int64) error {
	topics, err := admin.ListTopics(ctx)
	if err != nil {
		return fmt.Errorf("list topics: %w", err)
	}
	names := topics.Names()
	if len(names) == 0 {
		return nil
	}
	configs, err := admin.DescribeTopicConfigs(ctx, names...)
	if err != nil {
		return fmt.Errorf("read retention: %w", err)
	}
	var errs []error
	for _, config := range configs {
		if config.Err != nil {
			errs = append(errs, fmt.Errorf("read retention of %s: %w", config.Name, config.Err))
			continue
		}
		var cutoff time.Time // before it everything goes
		if keep, limited := retention(config); limited {
			cutoff = now.Add(-keep)
		}
		if err := expire(ctx, admin, config.Name, cutoff, maxRecords); err != nil {
			errs = append(errs, fmt.Errorf("remove records of %s: %w", config.Name, err))
		}
	}
	return errors.Join(errs...)
}

// retention answers how long a topic keeps a record; false means for ever.
func retention(config kadm.ResourceConfig) (time.Duration, bool) {
	for _, c := range config.Configs {
		if c.Key != "retention.ms" || c.Value == nil {
			continue
		}
		ms, err := strconv.ParseInt(*c.Value, 10, 64)
		if err != nil || ms < 0 || ms > int64(1<<63-1)/int64(time.Millisecond) {
			return 0, false
		}
		return time.Duration(ms) * time.Millisecond, true
	}
	return 0, false
}

// expire deletes the records of topic that are older than cutoff, if that is not
// zero, and those beyond maxRecords of a partition, if that is positive.
func expire(ctx context.Context, admin *kadm.Client, topic string, cutoff time.Time, maxRecords int64) error {
	starts, err := admin.ListStartOffsets(ctx, topic)
	if err != nil {
		return err
	}
	ends, err := admin.ListEndOffsets(ctx, topic)
	if err != nil {
		return err
	}
	kept := starts
	if !cutoff.IsZero() {
		if kept, err = admin.ListOffsetsAfterMilli(ctx, cutoff.UnixMilli(), topic); err != nil {
			return err
		}
	}
	remove := make(kadm.Offsets)
	ends.Each(func(end kadm.ListedOffset) {
		start, okStart := starts.Lookup(topic, end.Partition)
		first, okFirst := kept.Lookup(topic, end.Partition)
		if end.Err != nil || !okStart || start.Err != nil || !okFirst || first.Err != nil {
			return // a partition that is being created or deleted; the next sweep sees it
		}
		upTo := first.Offset
		if maxRecords > 0 {
			upTo = max(upTo, end.Offset-maxRecords)
		}
		upTo = min(upTo, end.Offset-1)
		if upTo > start.Offset {
			remove.AddOffset(topic, end.Partition, upTo, -1)
		}
	})
	if len(remove) == 0 {
		return nil
	}
	results, err := admin.DeleteRecords(ctx, remove)
	if err != nil {
		return err
	}
	return results.Error()
}
