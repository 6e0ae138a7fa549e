package auth

import (
	"context"
	"crypto/subtle"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/taskflow-suite/taskflow/pkg/errs"
)

const (
	// believed is how long the keeper's answer counts without asking again, and so how long a revoked token may be used
	// where nobody was told.
	believed = 10 * time.Second
	// maxRefused bounds the remembered tokens that do not count. Anybody can make them up, so they are apart from those
	// that do.
	maxRefused = 1000
	// maxLookups bounds the questions to the keeper at a time: whoever sends tokens of their own invention must not take all
	// connections to the database.
	maxLookups = 4
)

// Keeper knows the API tokens that there are. tokenstore.Store is one.
type Keeper interface {
	// FindAPIToken returns the token with a hash, whether it has expired or not. errs.NotFound if there is none, any more
	// or ever; every other error means that nobody can say so now.
	FindAPIToken(ctx context.Context, hash Hash) (APIToken, error)
}

var (
	errNoAPITokens = errs.Because(ErrInvalidToken, errs.Denied,
		"API tokens do not count here: this needs a signed-in session, as the chat does")
	errBadAPIToken = errs.Because(ErrInvalidToken, errs.Denied,
		"this API token does not count: it expired, was revoked or never was one; make a new one in the settings")
)

// Option changes a Verifier.
type Option func(*Verifier)

// WithAPITokens has the API tokens count that the keeper knows. Without it none does.
func WithAPITokens(k Keeper) Option {
	return func(v *Verifier) { v.apiTokens = newAPITokens(k) }
}

// ForgetAPITokens has the keeper asked again for every API token of a user, which it should be when one was revoked or the
// user is gone. Other processes do so after ten seconds at most.
func (v *Verifier) ForgetAPITokens(userID string) {
	if v.apiTokens != nil {
		v.apiTokens.forget(userID)
	}
}

// apiTokens remembers what the keeper said, by hash: the tokens themselves do not lie in memory.
type apiTokens struct {
	keeper Keeper
	// turns holds one element per question that is being asked.
	turns chan struct{}

	mu sync.Mutex
	// forgotten counts the calls of forget: an answer to a question from before one of them is not remembered.
	forgotten int
	good      *lru.Cache[Hash, answered]
	refused   *lru.Cache[Hash, answered]
}

// answered is what the keeper said, and until when it is believed. Without claims the token does not count.
type answered struct {
	claims Claims
	until  time.Time
}

func newAPITokens(k Keeper) *apiTokens {
	a := &apiTokens{keeper: k, turns: make(chan struct{}, maxLookups)}
	var err1, err2 error
	a.good, err1 = lru.New[Hash, answered](maxVerified)
	a.refused, err2 = lru.New[Hash, answered](maxRefused)
	if err1 != nil || err2 != nil {
		panic("auth: a cache without a size")
	}
	return a
}

// verify is Verifier.Verify for what begins as an API token does.
func (a *apiTokens) verify(ctx context.Context, raw string) (Claims, error) {
	if a == nil {
		return Claims{}, errNoAPITokens
	}
	hash, ok := hashOf(raw)
	if !ok {
		return Claims{}, errBadAPIToken
	}
	if answer, known := a.recall(hash); known {
		return answer.says()
	}
	select {
	case a.turns <- struct{}{}:
	case <-ctx.Done():
		return Claims{}, errs.Because(ctx.Err(), errs.Unavailable, "tokens cannot be verified at the moment")
	}
	defer func() { <-a.turns }()
	// A script's requests come together; the first has asked meanwhile.
	if answer, known := a.recall(hash); known {
		return answer.says()
	}
	return a.ask(ctx, hash)
}

// recall is what is known without asking.
func (a *apiTokens) recall(hash Hash) (answered, bool) {
	now := time.Now()
	for _, kept := range []*lru.Cache[Hash, answered]{a.good, a.refused} {
		if answer, ok := kept.Get(hash); ok && now.Before(answer.until) {
			return answer, true
		}
	}
	return answered{}, false
}

// says is what the answer means now: a token may have expired since.
func (a answered) says() (Claims, error) {
	if !time.Now().Before(a.claims.Expires) {
		return Claims{}, errBadAPIToken
	}
	return a.claims, nil
}

func (a *apiTokens) ask(ctx context.Context, hash Hash) (Claims, error) {
	a.mu.Lock()
	forgotten := a.forgotten
	a.mu.Unlock()
	asked := time.Now()
	token, err := a.keeper.FindAPIToken(ctx, hash)
	if err != nil && !errs.Is(err, errs.NotFound) {
		// Whatever it is: the caller's token is not to blame.
		return Claims{}, errs.Because(err, errs.Unavailable, "tokens cannot be verified at the moment")
	}
	answer := answered{until: asked.Add(believed)}
	if err == nil && subtle.ConstantTimeCompare(token.Hash[:], hash[:]) == 1 && ValidSubject(token.UserID) &&
		(token.Scope == Read || token.Scope == Write) {
		answer.claims = Claims{Subject: token.UserID, Expires: token.ExpiresAt, Scope: token.Scope, TokenID: token.ID}
	}
	a.remember(hash, answer, forgotten)
	return answer.says()
}

func (a *apiTokens) remember(hash Hash, answer answered, forgotten int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case a.forgotten != forgotten:
	case answer.claims == Claims{}:
		a.good.Remove(hash)
		a.refused.Add(hash, answer)
	default:
		a.good.Add(hash, answer)
	}
}

func (a *apiTokens) forget(userID string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.forgotten++
	for _, hash := range a.good.Keys() {
		if g, ok := a.good.Peek(hash); ok && g.claims.Subject == userID {
			a.good.Remove(hash)
		}
	}
}
