package auth

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/taskflow-suite/taskflow/pkg/config"
	"github.com/taskflow-suite/taskflow/pkg/errs"
)

const (
	// apiTokenPrefix is by which people and scanners for leaked secrets recognise a token. No JWT begins with it: the first
	// byte that it encodes is no brace.
	apiTokenPrefix = "tfk_"
	apiTokenBytes  = 32

	maxTokenName = 100 // characters
	maxTokenDays = 365
)

// Hash stands for an API token wherever it is kept or compared: its SHA-256. What is random in a token needs neither salt
// nor a slow function, and who compares hashes tells nobody how much of a guess was right.
type Hash [sha256.Size]byte

// APIToken is what is known of a token that a user made for a script. The token itself is not: it is shown once.
type APIToken struct {
	ID     string // a UUIDv7
	UserID string
	Name   string // the user's own word for it, 1 to 100 characters
	Hash   Hash
	Scope  Scope // Read or Write
	// Times are in UTC, in whole milliseconds.
	CreatedAt time.Time
	ExpiresAt time.Time
	// LastUsedAt may be a minute old; zero if it was never used.
	LastUsedAt time.Time
}

// NewAPIToken makes a token that lasts some days of 24 hours, and the secret to show to the user. errs.Invalid names the
// wrong fields as REST calls them: name, scope and expires_in_days.
func NewAPIToken(userID, name string, scope Scope, days int, now time.Time) (APIToken, config.Secret, error) {
	name = strings.TrimSpace(name)
	var wrong []errs.Field
	if n := utf8.RuneCountInString(name); n < 1 || n > maxTokenName || !utf8.ValidString(name) || strings.ContainsFunc(name, unicode.IsControl) {
		wrong = append(wrong, errs.Field{Field: "name", Message: fmt.Sprintf("must be 1 to %d characters, without line breaks", maxTokenName)})
	}
	if scope != Read && scope != Write {
		wrong = append(wrong, errs.Field{Field: "scope", Message: "must be read or write"})
	}
	if days < 1 || days > maxTokenDays {
		wrong = append(wrong, errs.Field{Field: "expires_in_days", Message: fmt.Sprintf("must be 1 to %d", maxTokenDays)})
	}
	if err := errs.InvalidFields(wrong...); err != nil {
		return APIToken{}, config.Secret{}, err
	}
	random := make([]byte, apiTokenBytes)
	_, _ = rand.Read(random) // it never fails: the process ends instead
	raw := apiTokenPrefix + base64.RawURLEncoding.EncodeToString(random)
	now = now.UTC().Truncate(time.Millisecond)
	return APIToken{
		ID: uuid.Must(uuid.NewV7()).String(), UserID: userID, Name: name, Hash: sha256.Sum256([]byte(raw)), Scope: scope,
		CreatedAt: now, ExpiresAt: now.Add(time.Duration(days) * 24 * time.Hour),
	}, config.NewSecret(raw), nil
}

// isAPIToken reports whether a token is meant as one of NewAPIToken's, well formed or not.
func isAPIToken(raw string) bool { return strings.HasPrefix(raw, apiTokenPrefix) }

// hashOf is a token's hash; false if it cannot be one of NewAPIToken's.
func hashOf(raw string) (Hash, bool) {
	encoded := strings.TrimPrefix(raw, apiTokenPrefix)
	if len(encoded) != base64.RawURLEncoding.EncodedLen(apiTokenBytes) {
		return Hash{}, false
	}
	// The length once more: the decoder passes over line breaks.
	if random, err := base64.RawURLEncoding.Strict().DecodeString(encoded); err != nil || len(random) != apiTokenBytes {
		return Hash{}, false
	}
	return sha256.Sum256([]byte(raw)), true
}
