package auth

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"strings"
	"time"

	"github.com/lestrrat-go/jwx/v2/jwa"
	"github.com/lestrrat-go/jwx/v2/jws"
	"github.com/lestrrat-go/jwx/v2/jwt"
)

const (
	maxToken = 8 << 10 // bytes
	// skew is how far the issuer's clock and ours may be apart.
	skew = 30 * time.Second
)

// key is a public key or secret together with the one algorithm it may be used with.
type key struct {
	algorithm jwa.SignatureAlgorithm
	raw       any
}

// finder returns the key with an id; the same key is the same pointer for as long as the issuer has it.
type finder func(ctx context.Context, id string) (*key, error)

// Verifier verifies tokens. It is safe for concurrent use and owns no goroutine.
type Verifier struct {
	find   finder
	ready  func(ctx context.Context) error
	rules  []jwt.ValidateOption
	memory memory
	// apiTokens is nil where none counts.
	apiTokens *apiTokens
}

// New makes a Verifier. It does not wait for the issuer: the keys of a JWKS document are fetched when first needed, see
// Ready. The error says which setting is wrong.
func New(c Config, options ...Option) (*Verifier, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	shared := &key{jwa.HS256, []byte(c.Secret.Reveal())}
	v := newVerifier(
		func(context.Context, string) (*key, error) { return shared, nil },
		func(context.Context) error { return nil },
	)
	if c.JWKSURL != "" {
		set := newKeySet(c.JWKSURL)
		v = newVerifier(set.find, set.ready)
	}
	if c.Issuer != "" {
		v.rules = append(v.rules, jwt.WithIssuer(c.Issuer))
	}
	if c.Audience != "" {
		v.rules = append(v.rules, jwt.WithAudience(c.Audience))
	}
	for _, option := range options {
		option(v)
	}
	return v, nil
}

func newVerifier(find finder, ready func(context.Context) error) *Verifier {
	return &Verifier{find: find, ready: ready, memory: newMemory(), rules: []jwt.ValidateOption{
		jwt.WithAcceptableSkew(skew), jwt.WithRequiredClaim(jwt.SubjectKey), jwt.WithRequiredClaim(jwt.ExpirationKey),
	}}
}

// Ready is nil once tokens can be verified, else errs.Unavailable. With a JWKS document it fetches the keys if there are
// none yet, so that a readiness probe brings them in before the first request.
func (v *Verifier) Ready(ctx context.Context) error { return v.ready(ctx) }

// Verify returns what a compact JWS says if it counts: signed with a configured key and its algorithm, with a subject
// that is a ValidSubject and an expiry, within its time (30 s of skew), from the configured issuer and for the configured
// audience and no other. What begins as an API token does counts if the Keeper knows it and its time is not over, without
// skew. ErrNoToken for an empty one, ErrInvalidToken for one that does not count, errs.Unavailable if the keys cannot be had
// or the Keeper cannot say.
func (v *Verifier) Verify(ctx context.Context, raw string) (Claims, error) {
	if raw == "" {
		return Claims{}, ErrNoToken
	}
	if len(raw) > maxToken {
		return Claims{}, ErrInvalidToken
	}
	if isAPIToken(raw) {
		return v.apiTokens.verify(ctx, raw)
	}
	id := sha256.Sum256([]byte(raw))
	if known, ok := v.memory.recall(ctx, id, v.find); ok {
		return known, nil
	}
	h, ok := headerOf(raw)
	if !ok {
		return Claims{}, ErrInvalidToken
	}
	k, err := v.find(ctx, h.KeyID)
	if err != nil {
		return Claims{}, err
	}
	claims, err := v.check(raw, h, k)
	if err != nil {
		return Claims{}, err
	}
	v.memory.tokens.Add(id, verified{claims: claims, keyID: h.KeyID, key: k})
	return claims, nil
}

func (v *Verifier) check(raw string, h header, k *key) (Claims, error) {
	// jws.Verify uses the algorithm it is given and does not look at the token's. Ours decides; a token that claims
	// another one was made by somebody who hopes otherwise.
	if h.Algorithm != k.algorithm.String() {
		return Claims{}, ErrInvalidToken
	}
	// Not jwt.Parse: it takes the JSON serialisation too, and opens tokens within tokens.
	payload, err := jws.Verify([]byte(raw), jws.WithKey(k.algorithm, k.raw), jws.WithCompact())
	if err != nil {
		return Claims{}, ErrInvalidToken
	}
	token := jwt.New()
	if err := json.Unmarshal(payload, token); err != nil {
		return Claims{}, ErrInvalidToken
	}
	if err := jwt.Validate(token, v.rules...); err != nil {
		return Claims{}, ErrInvalidToken
	}
	// A token for several audiences can be replayed by each of them against the others.
	if len(token.Audience()) > 1 || !ValidSubject(token.Subject()) {
		return Claims{}, ErrInvalidToken
	}
	return Claims{Subject: token.Subject(), Expires: token.Expiration(), Scope: Session}, nil
}

// header is what decides which key is tried. Critical extensions (RFC 7515, 4.1.11) are refused, for we know none.
type header struct {
	Algorithm string          `json:"alg"`
	KeyID     string          `json:"kid"`
	Critical  json.RawMessage `json:"crit"`
}

// headerOf reads a token's header and refuses what is not written as RFC 7515 has it: three parts, each the one base64url
// of its bytes. A decoder takes more than that (line ends, other bits behind the last byte), and jws.Verify encodes anew what
// it decoded, so it would count a token whose signature is over other text than it has.
func headerOf(raw string) (header, bool) {
	var h header
	parts := strings.Split(raw, ".")
	if len(parts) != 3 {
		return h, false
	}
	for i, part := range parts {
		text, err := base64.RawURLEncoding.DecodeString(part)
		if err != nil || base64.RawURLEncoding.EncodeToString(text) != part {
			return h, false
		}
		if i == 0 && (json.Unmarshal(text, &h) != nil || h.Critical != nil) {
			return h, false
		}
	}
	return h, true
}
