package agent

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"time"

	"github.com/google/uuid"

	"github.com/taskflow-suite/taskflow/pkg/errs"
)

const (
	// leaseLives is how long a conversation stays held when whoever answers in it dies.
	leaseLives = 10 * time.Second
	leaseRenew = leaseLives / 4
	// leaseGrace is kept of the lease's life for what is under way when it cannot be renewed.
	leaseGrace = time.Second
	// releaseTime bounds the clean-up at the end, which nobody waits for.
	releaseTime = 2 * time.Second
)

// errLost ends a run whose conversation was taken over, or whose hold could not be kept.
var errLost = errors.New("the conversation is no longer held")

// hold makes this the only run of a conversation, waiting until the one before has ended, up to Limits.Wait; then it is
// errs.Conflict. The context it gives ends when the hold is lost. A hold does not make a run safe from being doubled (a
// process may stall for as long as it likes): the ids of its calls do. It keeps two answers from being thought up at once.
func (a *Agent) hold(ctx context.Context, userID, conversation string) (held context.Context, release func(), err error) {
	user := sha256.Sum256([]byte(userID))
	l := lease{agent: a, key: "run-" + hex.EncodeToString(user[:8]) + "-" + conversation, owner: uuid.NewString()}
	if err := l.take(ctx); err != nil {
		return nil, nil, err
	}
	held, lose := context.WithCancelCause(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		l.renew(held, lose)
	}()
	return held, func() {
		lose(context.Canceled)
		<-ended
		l.drop(ctx)
	}, nil
}

type lease struct {
	agent      *Agent
	key, owner string
	etag       string
}

func (l *lease) data() []byte {
	data, _ := json.Marshal(map[string]string{"owner": l.owner}) // strings always encode
	return data
}

func (l *lease) take(ctx context.Context) error {
	deadline := time.NewTimer(l.agent.limits.Wait)
	defer deadline.Stop()
	for pause := 20 * time.Millisecond; ; pause = min(2*pause, 250*time.Millisecond) {
		err := l.agent.state.Create(ctx, l.key, l.data(), leaseLives)
		if err == nil {
			return l.look(ctx)
		}
		if !errs.Is(err, errs.Stale) {
			return unready(err)
		}
		wait := time.NewTimer(pause)
		select {
		case <-wait.C:
		case <-deadline.C:
			wait.Stop()
			return errs.Because(err, errs.Conflict, "Another message of this conversation is still being answered. Please wait for its answer.")
		case <-ctx.Done():
			wait.Stop()
			return ctx.Err()
		}
	}
}

// look finds the tag of what was just written.
func (l *lease) look(ctx context.Context) error {
	value, err := l.agent.state.Get(ctx, l.key)
	if err != nil {
		return unready(err)
	}
	var is struct{ Owner string }
	if json.Unmarshal(value.Data, &is) != nil || is.Owner != l.owner {
		return errLost
	}
	l.etag = value.ETag
	return nil
}

// renew keeps the lease until ctx ends, and loses it when it is somebody else's or cannot be renewed in time.
func (l *lease) renew(ctx context.Context, lose func(error)) {
	until := time.Now().Add(leaseLives)
	tick := time.NewTicker(leaseRenew)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		asked := time.Now()
		err := l.agent.state.Replace(ctx, l.key, l.data(), l.etag, leaseLives)
		if err == nil || errs.Is(err, errs.Stale) {
			// After a renewal that was made but not acknowledged, the tag is a new one.
			err = l.look(ctx)
		}
		switch {
		case err == nil:
			until = asked.Add(leaseLives)
		case errors.Is(err, errLost), errs.Is(err, errs.NotFound), time.Now().After(until.Add(-leaseRenew - leaseGrace)):
			lose(errLost)
			return
		}
	}
}

// drop gives the lease back at once, so that the next message need not wait. If that fails it runs out by itself.
func (l *lease) drop(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), releaseTime)
	defer cancel()
	if l.look(ctx) == nil {
		_ = l.agent.state.Delete(ctx, l.key, l.etag)
	}
}

// unready is an error of something the agent depends on before anything was done.
func unready(err error) error {
	if errs.Is(err, errs.NotFound) {
		err = errLost
	}
	return errs.Because(err, errs.Unavailable, "The assistant is not ready to answer right now. Please try again in a moment.")
}
