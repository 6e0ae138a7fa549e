// Package approvals keeps what the agent may do only after the user agreed: which call of which tool, for whom, until when,
// and what the user decided.
//
// It owns that an approval is bound (to its user and to the exact arguments) and decided once. It refuses to decide what
// needs one, and to carry anything out.
package approvals

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/sidecar"
)

// State is the state store, as sidecar.State is one; its methods say which errors come back.
type State interface {
	Get(ctx context.Context, key string) (sidecar.Value, error)
	Create(ctx context.Context, key string, data []byte, ttl time.Duration) error
	Replace(ctx context.Context, key string, data []byte, etag string, ttl time.Duration) error
	Delete(ctx context.Context, key, etag string) error
}

var _ State = (*sidecar.State)(nil)

// Status is what became of an approval.
type Status string

// The statuses.
const (
	Pending  Status = "pending"
	Approved Status = "approved"
	Declined Status = "declined"
)

// Lives is how long the user may take to decide.
const Lives = 10 * time.Minute

const (
	// afterExpiry is how long it can still be said that an approval has run out, rather than that there is none.
	afterExpiry = time.Hour
	// afterDecision is how long deciding again gives the same answer.
	afterDecision = 24 * time.Hour
	// maxRaces is how often a decision is tried again when somebody else's comes between.
	maxRaces = 5
)

// Approval is one call that waits for its user, or waited.
type Approval struct {
	// ID is a UUID, the same for the same call, so that asking again asks the same.
	ID     string `json:"id"`
	UserID string `json:"user_id"`
	// ConversationID and Run are where it was asked: the conversation, and the message of the user.
	ConversationID string `json:"conversation_id"`
	Run            string `json:"run"`
	Tool           string `json:"tool"`
	// Arguments is a JSON object; ArgumentsHash is set by Ask and checked when it is read.
	Arguments     json.RawMessage `json:"arguments"`
	ArgumentsHash string          `json:"arguments_hash"`
	// Confirmation is what delete_tasks wants to see, empty for other tools. Nobody is shown it.
	Confirmation string `json:"confirmation,omitempty"`
	// Summary and Tasks are what the user is shown.
	Summary   string    `json:"summary"`
	Tasks     []string  `json:"tasks,omitempty"`
	ExpiresAt time.Time `json:"expires_at"`
	Status    Status    `json:"status"`
	// DecidedBy is the message with which the user decided.
	DecidedBy string `json:"decided_by,omitempty"`
}

// Open reports what stands against a decision: nil if it can be made or was made just so, errs.Conflict with a sentence if
// it was decided otherwise or has run out.
func (a Approval) Open(approve bool, now time.Time) error {
	switch {
	case a.Status == decided(approve):
		return nil
	case a.Status != Pending:
		return errs.New(errs.Conflict, "This was %s already.", a.Status)
	case !now.Before(a.ExpiresAt):
		return errs.New(errs.Conflict, "This approval has run out and nothing was changed. Please ask for it again.")
	default:
		return nil
	}
}

func decided(approve bool) Status {
	if approve {
		return Approved
	}
	return Declined
}

// Book keeps approvals in the state store. It is safe for concurrent use.
type Book struct {
	state State
	now   func() time.Time
}

// New makes a Book. now is the clock, time.Now in production.
func New(state State, now func() time.Time) *Book { return &Book{state, now} }

func key(id string) string { return "approval-" + id }

// Ask keeps a pending approval. If one of that id is there already, that one is returned as it is. errs.Unavailable if the
// store does not answer.
func (b *Book) Ask(ctx context.Context, a Approval) (Approval, error) {
	a.Status, a.DecidedBy, a.ArgumentsHash = Pending, "", hash(a.Tool, a.Arguments)
	data, err := json.Marshal(a)
	if err != nil {
		return Approval{}, fmt.Errorf("encode an approval: %w", err)
	}
	err = b.state.Create(ctx, key(a.ID), data, a.ExpiresAt.Sub(b.now())+afterExpiry)
	if errs.Is(err, errs.Stale) {
		return b.Get(ctx, a.UserID, a.ID)
	}
	return a, err
}

// Get reads an approval of a user. errs.NotFound if there is none, also if it is somebody else's.
func (b *Book) Get(ctx context.Context, userID, id string) (Approval, error) {
	a, _, err := b.get(ctx, userID, id)
	return a, err
}

func (b *Book) get(ctx context.Context, userID, id string) (Approval, string, error) {
	value, err := b.state.Get(ctx, key(id))
	switch {
	case errs.Is(err, errs.NotFound):
		return Approval{}, "", missing(err)
	case err != nil:
		return Approval{}, "", err
	}
	var a Approval
	if err := json.Unmarshal(value.Data, &a); err != nil {
		return Approval{}, "", fmt.Errorf("decode approval %s: %w", id, err)
	}
	if a.UserID != userID {
		return Approval{}, "", missing(nil)
	}
	if a.ArgumentsHash != hash(a.Tool, a.Arguments) {
		return Approval{}, "", fmt.Errorf("approval %s is not for the arguments it holds", id)
	}
	return a, value.ETag, nil
}

func missing(cause error) error {
	return errs.Because(cause, errs.NotFound, "There is no such approval. It may have run out; please ask for it again.")
}

// Decide keeps what the user decided, and with which message. The first decision counts: the same again gives what is
// kept, with the first one's DecidedBy. Errors are those of Get and Approval.Open.
func (b *Book) Decide(ctx context.Context, userID, id string, approve bool, by string) (Approval, error) {
	for race := 0; ; race++ {
		a, etag, err := b.get(ctx, userID, id)
		if err != nil {
			return Approval{}, err
		}
		if err := a.Open(approve, b.now()); err != nil || a.Status != Pending {
			return a, err
		}
		a.Status, a.DecidedBy = decided(approve), by
		data, err := json.Marshal(a)
		if err != nil {
			return Approval{}, fmt.Errorf("encode an approval: %w", err)
		}
		err = b.state.Replace(ctx, key(id), data, etag, afterDecision)
		if err == nil {
			return a, nil
		}
		if !errs.Is(err, errs.Stale) || race == maxRaces {
			return Approval{}, err
		}
	}
}

// hash binds an approval to a tool and its arguments, however a store or an encoder spells them.
func hash(tool string, arguments json.RawMessage) string {
	var value any
	if json.Unmarshal(arguments, &value) == nil {
		if same, err := json.Marshal(value); err == nil {
			arguments = same
		}
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%d:%s:%s", len(tool), tool, arguments))
	return hex.EncodeToString(sum[:])
}
