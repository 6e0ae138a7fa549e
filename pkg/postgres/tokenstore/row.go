package tokenstore

import (
	"time"

	"github.com/taskflow-suite/taskflow/pkg/auth"
)

// row is how Postgres sees a token. It never leaves this package.
type row struct {
	ID         string `gorm:"primaryKey"`
	UserID     string
	Name       string
	Hash       []byte
	Scope      string
	CreatedAt  time.Time
	ExpiresAt  time.Time
	LastUsedAt *time.Time
}

func (row) TableName() string { return "api_tokens" }

func rowOf(t auth.APIToken) row {
	r := row{
		ID: t.ID, UserID: t.UserID, Name: t.Name, Hash: t.Hash[:], Scope: t.Scope.String(),
		CreatedAt: milliseconds(t.CreatedAt), ExpiresAt: milliseconds(t.ExpiresAt),
	}
	if !t.LastUsedAt.IsZero() {
		at := milliseconds(t.LastUsedAt)
		r.LastUsedAt = &at
	}
	return r
}

func (r row) token() auth.APIToken {
	scope, _ := auth.ParseScope(r.Scope) // the table has no others
	t := auth.APIToken{
		ID: r.ID, UserID: r.UserID, Name: r.Name, Scope: scope, CreatedAt: r.CreatedAt.UTC(), ExpiresAt: r.ExpiresAt.UTC(),
	}
	copy(t.Hash[:], r.Hash)
	if r.LastUsedAt != nil {
		t.LastUsedAt = r.LastUsedAt.UTC()
	}
	return t
}

// milliseconds is a time as it is kept.
func milliseconds(t time.Time) time.Time { return t.UTC().Truncate(time.Millisecond) }
