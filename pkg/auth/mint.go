package auth

import (
	"errors"
	"time"

	"github.com/lestrrat-go/jwx/v2/jwa"
	"github.com/lestrrat-go/jwx/v2/jwt"
)

// MintOption adds a claim to a minted token.
type MintOption func(*jwt.Builder)

// WithIssuer sets iss; empty sets none.
func WithIssuer(issuer string) MintOption {
	return func(b *jwt.Builder) {
		if issuer != "" {
			b.Issuer(issuer)
		}
	}
}

// WithAudience sets aud; empty sets none.
func WithAudience(audience string) MintOption {
	return func(b *jwt.Builder) {
		if audience != "" {
			b.Audience([]string{audience})
		}
	}
}

// Mint makes an HS256 token for development and tests. The error says what is wrong with the secret, the subject or the
// time to live, which must be at least a second.
func Mint(secret, subject string, ttl time.Duration, opts ...MintOption) (string, error) {
	if err := checkSecret(secret); err != nil {
		return "", err
	}
	if !ValidSubject(subject) {
		return "", errors.New("the user must be 1 to 128 letters, digits and . _ @ : | - and start with a letter or digit")
	}
	if ttl < time.Second {
		return "", errors.New("the time to live must be at least a second")
	}
	now := time.Now()
	b := jwt.NewBuilder().Subject(subject).IssuedAt(now).Expiration(now.Add(ttl))
	for _, opt := range opts {
		opt(b)
	}
	token, err := b.Build()
	if err != nil {
		return "", err
	}
	signed, err := jwt.Sign(token, jwt.WithKey(jwa.HS256, []byte(secret)))
	return string(signed), err
}
