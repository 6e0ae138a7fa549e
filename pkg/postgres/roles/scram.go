package roles

import (
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"

	"github.com/taskflow-suite/taskflow/pkg/errs"
)

const (
	// iterations is Postgres's own number (scram_iterations).
	iterations = 4096
	leastBytes = 16
)

// scram is a password as Postgres keeps it (RFC 5803), so that the password itself is in no statement and no log of the server.
func scram(password string) (string, error) {
	if len(password) < leastBytes {
		return "", errs.New(errs.Invalid, "a role's password has at least %d characters: openssl rand -hex 24 makes one", leastBytes)
	}
	for _, c := range password {
		if c < ' ' || c > '~' { // what is not ASCII would have to be prepared (RFC 4013)
			return "", errs.New(errs.Invalid, "a role's password is made of printable ASCII characters")
		}
	}
	salt := make([]byte, 16)
	_, _ = rand.Read(salt) // it never fails
	salted, err := pbkdf2.Key(sha256.New, password, salt, iterations, sha256.Size)
	if err != nil {
		return "", err
	}
	mac := func(text string) []byte {
		h := hmac.New(sha256.New, salted)
		h.Write([]byte(text))
		return h.Sum(nil)
	}
	stored := sha256.Sum256(mac("Client Key"))
	text := base64.StdEncoding.EncodeToString
	return fmt.Sprintf("SCRAM-SHA-256$%d:%s$%s:%s", iterations, text(salt), text(stored[:]), text(mac("Server Key"))), nil
}
