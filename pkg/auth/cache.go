package auth

import (
	"context"
	"crypto/sha256"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
)

// maxVerified bounds the remembered tokens, about 200 bytes each.
const maxVerified = 10_000

// verified is a token that counted. A user's requests carry the same token for minutes, and a signature costs 20 to 100
// times what looking it up does (BenchmarkVerify).
type verified struct {
	claims Claims
	keyID  string
	key    *key
}

// memory keeps tokens by their hash, so that none of them lies in memory, and only those that counted, so that nobody
// can fill it without a valid one.
type memory struct {
	tokens *lru.Cache[[sha256.Size]byte, verified]
}

func newMemory() memory {
	tokens, err := lru.New[[sha256.Size]byte, verified](maxVerified)
	if err != nil {
		panic(err) // only for a size below one
	}
	return memory{tokens}
}

// recall returns the claims of a token that counted before and still does: its time is not over and its key is still the
// issuer's.
func (m memory) recall(ctx context.Context, id [sha256.Size]byte, find finder) (Claims, bool) {
	v, ok := m.tokens.Get(id)
	if !ok || !time.Now().Before(v.claims.Expires.Add(skew)) {
		return Claims{}, false
	}
	if k, err := find(ctx, v.keyID); err != nil || k != v.key {
		return Claims{}, false
	}
	return v.claims, true
}
