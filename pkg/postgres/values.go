package postgres

import (
	"strings"
	"unicode/utf8"

	"github.com/google/uuid"
)

// IsUUID reports whether s is a UUID in its usual form. What is not, Postgres would refuse with an error that ends the
// transaction.
func IsUUID(s string) bool { return len(s) == 36 && uuid.Validate(s) == nil }

// IsText reports whether Postgres can take s as text.
func IsText(s string) bool { return utf8.ValidString(s) && !strings.ContainsRune(s, 0) }
