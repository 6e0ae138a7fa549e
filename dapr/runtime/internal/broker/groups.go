package broker

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

const (
	// callEvery is how often groups are looked through for members that died.
	callEvery = time.Second
	// callTimeout bounds one look.
	callTimeout = 10 * time.Second
)

// attendance finds the members of consumer groups that died unnoticed. kfake starts no session timer, as Kafka does, for
// a member whose connection has gone when its join is answered, and stops waiting for its sync when the leader's has
// come: such a one would hold its partitions for ever. It is safe for concurrent use.
type attendance struct {
	mu sync.Mutex
	// seen is when each member was heard of last.
	seen map[string]time.Time
	// patience is by group for how long the living may be silent: while a join or a sync waits for the others, which
	// takes a rebalance timeout at most, and then until their first heartbeat.
	patience map[string]time.Duration
}

func newAttendance() *attendance {
	return &attendance{seen: map[string]time.Time{}, patience: map[string]time.Duration{}}
}

// watch has the requests of the cluster's clients noted. Clients ask for a rebalance timeout of a minute; here they get no
// more than their session timeout, which is how long the dead may be missed everywhere else.
func (a *attendance) watch(cluster *kfake.Cluster) {
	note := func(key kmsg.Key, fn func(kmsg.Request)) {
		cluster.ControlKey(int16(key), func(r kmsg.Request) (kmsg.Response, error, bool) {
			fn(r)
			return nil, nil, false //nolint:nilnil // not handled: kfake goes on as usual
		})
	}
	note(kmsg.JoinGroup, func(r kmsg.Request) {
		join, ok := r.(*kmsg.JoinGroupRequest)
		if !ok {
			return
		}
		join.RebalanceTimeoutMillis = min(join.RebalanceTimeoutMillis, join.SessionTimeoutMillis)
		a.mu.Lock()
		defer a.mu.Unlock()
		a.seen[join.MemberID] = time.Now()
		a.patience[join.Group] = max(a.patience[join.Group], 2*time.Duration(join.SessionTimeoutMillis)*time.Millisecond)
	})
	note(kmsg.SyncGroup, func(r kmsg.Request) {
		if sync, ok := r.(*kmsg.SyncGroupRequest); ok {
			a.saw(sync.MemberID)
		}
	})
	note(kmsg.Heartbeat, func(r kmsg.Request) {
		if beat, ok := r.(*kmsg.HeartbeatRequest); ok {
			a.saw(beat.MemberID)
		}
	})
}

func (a *attendance) saw(member string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.seen[member] = time.Now()
}

// missing is which of a group's members have been silent for too long. One that was never heard of, as after a restart, is
// as if it had just been.
func (a *attendance) missing(group string, members []kadm.DescribedGroupMember, now time.Time) []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	var silent []string
	for _, m := range members {
		last, known := a.seen[m.MemberID]
		if !known {
			a.seen[m.MemberID] = now
			continue
		}
		if p := a.patience[group]; p > 0 && now.Sub(last) > p {
			silent = append(silent, m.MemberID)
		}
	}
	return silent
}

// forget drops what is known of members and groups that are no more, an hour after their last word.
func (a *attendance) forget(groups kadm.DescribedGroups, now time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for member, last := range a.seen {
		if now.Sub(last) > time.Hour {
			delete(a.seen, member)
		}
	}
	for group := range a.patience {
		if _, there := groups[group]; !there {
			delete(a.patience, group)
		}
	}
}

// keepCalling calls the roll every callEvery until ctx ends. What fails is logged and tried again.
func (a *attendance) keepCalling(ctx context.Context, client *kgo.Client, log *slog.Logger) {
	tick := time.NewTicker(callEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			attempt, cancel := context.WithTimeout(ctx, callTimeout)
			err := a.call(attempt, client, now, log)
			cancel()
			if err != nil && ctx.Err() == nil {
				log.WarnContext(ctx, "could not look for dead members of groups", slog.Any("error", err))
			}
		}
	}
}

// call has the members leave that are missing.
func (a *attendance) call(ctx context.Context, client *kgo.Client, now time.Time, log *slog.Logger) error {
	groups, err := kadm.NewClient(client).DescribeGroups(ctx)
	if err != nil {
		return fmt.Errorf("describe groups: %w", err)
	}
	for _, g := range groups {
		for _, member := range a.missing(g.Group, g.Members, now) {
			leave := kmsg.NewPtrLeaveGroupRequest()
			leave.Group = g.Group
			leave.Members = []kmsg.LeaveGroupRequestMember{{MemberID: member}}
			if _, err := leave.RequestWith(ctx, client); err != nil {
				return fmt.Errorf("have %s leave %s: %w", member, g.Group, err)
			}
			log.InfoContext(ctx, "a member of a group died unnoticed", slog.String("group", g.Group), slog.String("member", member))
		}
	}
	a.forget(groups, now)
	return nil
}
