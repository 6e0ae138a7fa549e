package broker_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/taskflow-suite/taskflow/dapr/runtime/internal/proctest"
)

const (
	shared  = "shared"
	session = 6 * time.Second // the least a broker takes
)

// member is one member of the group, by hand.
type member struct {
	client *kgo.Client
	id     string
	joined *kmsg.JoinGroupResponse

	mu    sync.Mutex
	conns []*net.TCPConn
	// syncs has a value when a sync has been sent.
	syncs chan struct{}
}

func newMember(t *testing.T, addr string) *member {
	m := &member{syncs: make(chan struct{}, 10)}
	m.client = client(t, addr, kgo.Dialer(m.dial), kgo.WithHooks(m), kgo.RequestRetries(0))
	return m
}

// OnBrokerWrite is kgo's.
func (m *member) OnBrokerWrite(_ kgo.BrokerMetadata, key int16, _ int, _, _ time.Duration, _ error) {
	if key == int16(kmsg.SyncGroup) {
		m.syncs <- struct{}{}
	}
}

func (m *member) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.conns = append(m.conns, conn.(*net.TCPConn))
	return conn, nil
}

// hangUp ends the member's connections as its death would. A request that waits fails when the broker has noticed.
func (m *member) hangUp() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, conn := range m.conns {
		_ = conn.CloseWrite()
	}
}

// join waits for the others.
func (m *member) join(ctx context.Context) error {
	for {
		join := kmsg.NewPtrJoinGroupRequest()
		join.Group, join.MemberID, join.ProtocolType = shared, m.id, "consumer"
		join.SessionTimeoutMillis, join.RebalanceTimeoutMillis = int32(session.Milliseconds()), 60_000
		join.Protocols = []kmsg.JoinGroupRequestProtocol{{Name: "range", Metadata: []byte{0, 0, 0, 0, 0, 0, 0, 0, 0, 0}}}
		res, err := join.RequestWith(ctx, m.client)
		if err != nil {
			return err
		}
		m.id = res.MemberID
		if err := kerr.ErrorForCode(res.ErrorCode); !errors.Is(err, kerr.MemberIDRequired) {
			m.joined = res
			return err
		}
	}
}

// sync waits for the leader's.
func (m *member) sync(ctx context.Context) error {
	req := kmsg.NewPtrSyncGroupRequest()
	req.Group, req.Generation, req.MemberID = shared, m.joined.Generation, m.id
	for _, one := range m.joined.Members {
		req.GroupAssignment = append(req.GroupAssignment, kmsg.SyncGroupRequestGroupAssignment{MemberID: one.MemberID})
	}
	res, err := req.RequestWith(ctx, m.client)
	if err != nil {
		return err
	}
	return kerr.ErrorForCode(res.ErrorCode)
}

func (m *member) beat(ctx context.Context) error {
	req := kmsg.NewPtrHeartbeatRequest()
	req.Group, req.Generation, req.MemberID = shared, m.joined.Generation, m.id
	res, err := req.RequestWith(ctx, m.client)
	if err != nil {
		return err
	}
	return kerr.ErrorForCode(res.ErrorCode)
}

func TestAMemberThatDiesWhileItJoinsOrSyncsIsGivenUp(t *testing.T) {
	t.Parallel()
	for name, dies := range map[string]func(*testing.T, *member, *member){
		"in its join, before the other's": func(t *testing.T, alive, dead *member) {
			first(t, alive)
			joined := asks(t, alive, dead)
			dead.hangUp()
			if err := <-joined; err == nil {
				t.Error("the join was answered before the other's")
			}
			if err := errors.Join(alive.join(t.Context()), alive.sync(t.Context())); err != nil {
				t.Fatal(err)
			}
		},
		"in its sync, before the leader's": func(t *testing.T, alive, dead *member) {
			joinBoth(t, alive, dead)
			ctx, done := context.WithCancel(t.Context())
			defer done()
			synced := make(chan error, 1)
			go func() { synced <- dead.sync(ctx) }()
			<-dead.syncs
			dead.hangUp()
			if err := <-synced; err == nil {
				t.Error("the sync was answered before the leader's")
			}
			if err := alive.sync(t.Context()); err != nil {
				t.Fatal(err)
			}
		},
		"with its join answered": func(t *testing.T, alive, dead *member) {
			joinBoth(t, alive, dead)
			dead.client.Close()
			if err := alive.sync(t.Context()); err != nil {
				t.Fatal(err)
			}
		},
		"while it beats": func(t *testing.T, alive, dead *member) {
			joinBoth(t, alive, dead)
			synced := make(chan error, 1)
			go func() { synced <- dead.sync(t.Context()) }()
			if err := errors.Join(alive.sync(t.Context()), <-synced, dead.beat(t.Context())); err != nil {
				t.Fatal(err)
			}
			dead.client.Close()
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			addr := proctest.StartBroker(t, t.TempDir(), "", nil).Addr
			alive, dead := newMember(t, addr), newMember(t, addr)
			dies(t, alive, dead)
			// The living one beats, and joins again when it is told to.
			described(t, alive.client, func(g kadm.DescribedGroup) error {
				if err := alive.beat(t.Context()); err != nil {
					if err := alive.join(t.Context()); err != nil {
						return err
					}
					return alive.sync(t.Context())
				}
				if len(g.Members) != 1 || g.Members[0].MemberID != alive.id || g.State != "Stable" {
					return fmt.Errorf("the group is %s with %d members", g.State, len(g.Members))
				}
				return nil
			})
		})
	}
}

// first makes alive the only member of the group.
func first(t *testing.T, alive *member) {
	t.Helper()
	if err := errors.Join(alive.join(t.Context()), alive.sync(t.Context())); err != nil {
		t.Fatal(err)
	}
}

// asks has dead ask to join, and returns when the broker waits for alive to join again.
func asks(t *testing.T, alive, dead *member) (joined chan error) {
	t.Helper()
	joined = make(chan error, 1)
	go func() { joined <- dead.join(t.Context()) }()
	described(t, alive.client, func(kadm.DescribedGroup) error {
		if err := alive.beat(t.Context()); !errors.Is(err, kerr.RebalanceInProgress) {
			return fmt.Errorf("the second member has not asked yet: %w", err)
		}
		return nil
	})
	return joined
}

// joinBoth makes alive the leader of a group of both.
func joinBoth(t *testing.T, alive, dead *member) {
	t.Helper()
	first(t, alive)
	joined := asks(t, alive, dead)
	if err := errors.Join(alive.join(t.Context()), <-joined); err != nil {
		t.Fatal(err)
	}
	if alive.joined.LeaderID != alive.id {
		t.Fatal("the first member does not lead")
	}
}

// described looks at the group until fn is content.
func described(t *testing.T, c *kgo.Client, fn func(kadm.DescribedGroup) error) {
	t.Helper()
	proctest.Eventually(t, "the group is as it should be", func(ctx context.Context) error {
		groups, err := kadm.NewClient(c).DescribeGroups(ctx, shared)
		if err != nil {
			return err
		}
		return fn(groups[shared])
	})
}
