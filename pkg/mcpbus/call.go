package mcpbus

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"

	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/event"
	"github.com/taskflow-suite/taskflow/pkg/telemetry"
	"github.com/taskflow-suite/taskflow/proto"
)

const (
	// A request that is not answered is sent again after about firstResend, and then after pauses that grow to lastResend.
	firstResend = 2 * time.Second
	lastResend  = 5 * time.Second
	// One that the bus did not take is tried again sooner.
	firstRetry = 200 * time.Millisecond
	lastRetry  = 2 * time.Second
	// publishTimeout bounds one attempt.
	publishTimeout = 5 * time.Second
	// cancelTimeout bounds the telling of a cancellation, which is a favour: the request also expires.
	cancelTimeout = 2 * time.Second
)

// call is a request that waits for its answer.
type call struct {
	request, user string
	id            jsonrpc.ID
	method        string
	sealed        event.Message
	// cancellation is sent if the caller goes away.
	cancellation event.Message
	firstResend  time.Duration

	response chan *jsonrpc.Response
	// done interrupts the sending.
	done context.CancelFunc
}

// answer gives the call its response and reports whether it still needed one.
func (k *call) answer(r *jsonrpc.Response) bool {
	select {
	case k.response <- &jsonrpc.Response{ID: k.id, Result: r.Result, Error: r.Error}:
		k.done()
		return true
	default:
		return false
	}
}

// begin sends a request of a session until it is answered, and returns at once. The goroutine belongs to the caller's
// context: it ends with it, or with the call's deadline, or with the answer.
func (c *Client) begin(ctx context.Context, s *session, r *jsonrpc.Request) error {
	deadline := time.Now().Add(maxTimeout)
	if own, ok := ctx.Deadline(); !ok {
		deadline = time.Now().Add(c.timeout)
	} else if own.Before(deadline) {
		deadline = own
	}
	ctx, span := traced(ctx, r)
	k, err := c.newCall(ctx, s, r, deadline)
	if err != nil {
		span.End(err)
		return err
	}
	asking, done := context.WithDeadline(ctx, deadline)
	k.done = done
	if err := c.wait(k); err != nil {
		done()
		span.End(err)
		return err
	}
	go func() {
		defer done()
		defer c.forget(k)
		began := time.Now()
		response, outcome := c.ask(asking, k)
		span.Tell("taskflow.outcome", outcome)
		if response == nil {
			span.End(ctx.Err())
			c.metrics.called(outcome, began)
			s.deliver(&jsonrpc.Response{ID: k.id, Error: ctx.Err()})
			c.publishCancellation(ctx, k)
			return
		}
		if k.method == methodDiscover && response.Error == nil {
			c.learn(response.Result)
		}
		span.End(response.Error)
		c.metrics.called(outcome, began)
		s.deliver(response)
	}()
	return nil
}

func (c *Client) newCall(ctx context.Context, s *session, r *jsonrpc.Request, deadline time.Time) (*call, error) {
	requestID, err := requestID(r.Params)
	if err != nil {
		return nil, err
	}
	k := &call{
		request: requestID, user: s.user, id: r.ID, method: r.Method, firstResend: s.firstResend,
		response: make(chan *jsonrpc.Response, 1),
	}
	e := envelope{
		ClientID: c.app, RequestID: requestID, UserID: s.user, ReplyTo: c.replica,
		ExpiresAt: deadline.UTC().Format(time.RFC3339Nano), CorrelationID: telemetry.Correlation(ctx),
	}
	if e.CorrelationID == "" {
		e.CorrelationID = requestID
	}
	if k.sealed, err = c.seal(ctx, e, r); err != nil {
		return nil, err
	}
	params, err := json.Marshal(map[string]any{"requestId": r.ID.Raw(), "reason": "the caller went away"})
	if err != nil {
		return nil, err
	}
	k.cancellation, err = c.seal(ctx, e, &jsonrpc.Request{Method: methodCancelled, Params: params})
	return k, err
}

func (c *Client) seal(ctx context.Context, e envelope, r *jsonrpc.Request) (event.Message, error) {
	return c.key.message(ctx, request, e, r)
}

// message is an envelope with a message of JSON-RPC in it, ready to be published.
func (k key) message(ctx context.Context, as kind, e envelope, m jsonrpc.Message) (event.Message, error) {
	text, err := jsonrpc.EncodeMessage(m)
	if err != nil {
		return event.Message{}, errs.Because(err, errs.Invalid, "the message cannot be written as JSON-RPC")
	}
	e.Message = string(text)
	data, err := k.seal(as, e)
	if err != nil {
		return event.Message{}, err
	}
	return event.Message{Type: string(as), Key: e.partition(), Trace: telemetry.Traceparent(ctx), Data: data}, nil
}

// requestID is the id that the call's _meta chooses, or a new one.
func requestID(params json.RawMessage) (string, error) {
	chosen, ok := metaOf(params)[RequestIDMeta]
	if !ok {
		return event.NewID(), nil
	}
	id, _ := chosen.(string)
	if !isUUID(id) {
		return "", errs.New(errs.Invalid, "%s in _meta must be a UUID", RequestIDMeta)
	}
	return id, nil
}

// metaOf is the _meta of a request's parameters, nil if there is none.
func metaOf(params json.RawMessage) map[string]any {
	var p struct {
		Meta map[string]any `json:"_meta"`
	}
	if len(params) == 0 || json.Unmarshal(params, &p) != nil {
		return nil
	}
	return p.Meta
}

// ask publishes the request until ctx ends, which it also does when the answer comes. No response means that the caller went
// away.
func (c *Client) ask(ctx context.Context, k *call) (response *jsonrpc.Response, outcome string) {
	resend, retry := k.firstResend, firstRetry
	var failed error
	for ctx.Err() == nil {
		failed = c.publish(ctx, k.sealed)
		var pause time.Duration
		switch errs.KindOf(failed) {
		case errs.Unavailable:
			pause, retry = retry, min(2*retry, lastRetry)
		case errs.Internal: // also none
			pause, resend = resend, min(resend*3/2, lastResend)
		default:
			if ctx.Err() == nil {
				return &jsonrpc.Response{ID: k.id, Error: failed}, callFailed
			}
		}
		timer := time.NewTimer(jittered(pause))
		select {
		case <-ctx.Done():
		case <-timer.C:
			c.metrics.resent.Inc()
		}
		timer.Stop()
	}
	select {
	case response := <-k.response:
		return response, callAnswered
	default:
	}
	if errors.Is(ctx.Err(), context.Canceled) {
		return nil, callCancelled
	}
	return &jsonrpc.Response{ID: k.id, Error: noAnswer(failed)}, callNoAnswer
}

// noAnswer is ErrNoAnswer with what else is known, for the log.
func noAnswer(cause error) error {
	if cause == nil {
		return ErrNoAnswer
	}
	return fmt.Errorf("%w (%w)", ErrNoAnswer, cause)
}

func (c *Client) publish(ctx context.Context, m event.Message) error {
	ctx, cancel := context.WithTimeout(ctx, publishTimeout)
	defer cancel()
	m.ID = event.NewID()
	return c.bus.Publish(ctx, proto.MCPRequests, []event.Message{m})
}

// publishCancellation tells the server that nobody waits any more. It is not left to the SDK, which does not if the session is
// closed right after.
func (c *Client) publishCancellation(ctx context.Context, k *call) {
	// The caller's context has ended, which is what is to be told.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cancelTimeout)
	defer cancel()
	_ = c.publish(ctx, k.cancellation)
}

// jittered is d give or take a tenth: many calls that failed together do not come again together.
func jittered(d time.Duration) time.Duration {
	return d*9/10 + rand.N(d/5+1) //nolint:gosec // G404: nobody gains by guessing it
}
