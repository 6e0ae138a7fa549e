// Package auth says whose request it is and how much it may do: it verifies tokens and compares their subject with the user
// a request is about. Nothing else in the repository parses a token.
//
// There are two kinds. A session is a JSON Web Token (RFC 7519) and may do everything. Which keys and algorithms count is
// decided by configuration and never by a token: either HS256 with one shared secret, or the public keys of a JWKS document.
// An API token is a random text that a user made for a script; it may read or write (see Scope), and counts for as long as a
// Keeper knows it, wherever there is one.
//
// It issues no sessions except for development and tests, keeps neither sessions nor API tokens and knows no roles. What it
// refuses it refuses in one sentence that says nothing of the token.
package auth

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/taskflow-suite/taskflow/pkg/config"
	"github.com/taskflow-suite/taskflow/pkg/errs"
)

var (
	// ErrNoToken is a request without a token: 401.
	ErrNoToken = errs.New(errs.Denied, "this needs a token: send it as Authorization: Bearer or in the cookie "+cookieName)
	// ErrInvalidToken is a token that does not count, for whichever reason: 401.
	ErrInvalidToken = errs.New(errs.Denied, "the token is not valid, or not valid any more")
	// errOtherUser is a valid token of somebody else: 403.
	errOtherUser = errs.New(errs.Denied, "the token belongs to another user")
	errNoKeys    = errs.New(errs.Unavailable, "tokens cannot be verified at the moment")
)

const (
	minSecret = 32 // bytes: the size of HS256's output (RFC 7518, 3.2)
	makeOne   = "make one with: openssl rand -base64 48"
)

// Config is the settings of this package, to be embedded in a service's.
type Config struct {
	Secret   config.Secret `env:"JWT_SECRET" secret:"true" doc:"shared secret of HS256 tokens, at least 32 bytes (openssl rand -base64 48); excludes JWT_JWKS_URL"`
	JWKSURL  string        `env:"JWT_JWKS_URL" doc:"address of the issuer's public keys (EdDSA, ES256 or RS256); excludes JWT_SECRET"`
	Issuer   string        `env:"JWT_ISSUER" doc:"the iss every token must have; empty takes any"`
	Audience string        `env:"JWT_AUDIENCE" doc:"the aud every token must have; empty takes any"`
}

// Check says what is wrong with the settings.
func (c Config) Check() error {
	switch {
	case c.Secret.IsZero() == (c.JWKSURL == ""):
		return errors.New("JWT_SECRET or JWT_JWKS_URL must be set, and not both; for a secret, " + makeOne)
	case !c.Secret.IsZero():
		return checkSecret(c.Secret.Reveal())
	}
	u, err := url.Parse(c.JWKSURL)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return errors.New("JWT_JWKS_URL must be an http or https address such as https://example.org/api/auth/jwks")
	}
	return nil
}

func checkSecret(secret string) error {
	if len(secret) < minSecret {
		return fmt.Errorf("JWT_SECRET has %d bytes: expected at least %d; %s", len(secret), minSecret, makeOne)
	}
	return nil
}

// Claims is what a verified token says.
type Claims struct {
	// Subject is the user's id; it is a ValidSubject.
	Subject string
	// Expires is when the token stops counting. A connection that outlives it must end.
	Expires time.Time
	// Scope is how much it may do.
	Scope Scope
	// TokenID is the id of the API token, empty for a session. An API token may be revoked before it expires.
	TokenID string
}

// Owns is nil if userID is the token's subject, else errs.Denied.
func (c Claims) Owns(userID string) error {
	if c.Subject == "" || userID != c.Subject {
		return errOtherUser
	}
	return nil
}

var subject = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._@:|-]{0,127}$`)

// ValidSubject reports whether an id may be a user's: 1 to 128 letters, digits and . _ @ : | - of ASCII, starting with a
// letter or digit. Ids stand in paths, message keys and state keys, where "||" is Dapr's separator, so it is refused.
func ValidSubject(id string) bool {
	return subject.MatchString(id) && !strings.Contains(id, "||")
}

type contextKey struct{}

// WithClaims attaches who a request comes from.
func WithClaims(ctx context.Context, c Claims) context.Context {
	return context.WithValue(ctx, contextKey{}, c)
}

// FromContext is what WithClaims attached; false if nobody was verified.
func FromContext(ctx context.Context) (Claims, bool) {
	c, ok := ctx.Value(contextKey{}).(Claims)
	return c, ok
}
