package auth

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/lestrrat-go/jwx/v2/jwa"
	"github.com/lestrrat-go/jwx/v2/jwk"
	"golang.org/x/time/rate"
)

const (
	fetchTimeout = 3 * time.Second
	maxDocument  = 1 << 20 // bytes
	maxKeys      = 64
	minRSA       = 2048 // bits (RFC 7518, 3.3)

	// fresh is how long keys are used without asking again; a key the issuer withdrew counts that much longer.
	fresh = 15 * time.Minute
	// usable is how long the last keys are used while the issuer does not answer.
	usable = 24 * time.Hour
	// Whatever tokens with unknown key ids arrive, the issuer is asked at most fetchBurst times at once and then every
	// fetchEvery.
	fetchEvery = 10 * time.Second
	fetchBurst = 3
	// readyEvery is how often readiness asks an issuer whose keys were never had. That does not count against the above: at a
	// start, when the issuer is often the last to come, the first token may be signed with a key that is newer than ours.
	readyEvery = time.Second
)

// keySet is the issuer's public keys. jwk.Cache is not used: it keeps goroutines from its constructor on, reads
// documents of any size, and does not ask again for an unknown key id.
type keySet struct {
	url     string
	client  *http.Client
	limit   *rate.Limiter // of fetches that tokens bring about
	waiting *rate.Limiter // of fetches that readiness brings about
	turn    chan struct{} // holds one element while somebody fetches
	current atomic.Pointer[fetched]
}

// fetched is one state of the document.
type fetched struct {
	keys map[string]*key
	at   time.Time
}

func newKeySet(url string) *keySet {
	transport := &http.Transport{
		Proxy: http.ProxyFromEnvironment,
		// Minutes lie between two fetches; an idle connection would only break.
		DisableKeepAlives: true,
	}
	return &keySet{
		url: url,
		client: &http.Client{
			Transport: transport, Timeout: fetchTimeout,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		limit:   rate.NewLimiter(rate.Every(fetchEvery), fetchBurst),
		waiting: rate.NewLimiter(rate.Every(readyEvery), 1),
		turn:    make(chan struct{}, 1),
	}
}

func (s *keySet) ready(ctx context.Context) error {
	set := s.current.Load()
	if set.age() < usable {
		return nil
	}
	_, err := s.refresh(ctx, set, s.waiting, true)
	return err
}

// find returns the key with an id. It asks the issuer if there are no keys, if they are old, or if the id is unknown, for
// then the issuer has probably changed its keys.
func (s *keySet) find(ctx context.Context, id string) (*key, error) {
	if id == "" {
		return nil, ErrInvalidToken
	}
	set := s.current.Load()
	k, known := set.key(id)
	if known && set.age() < fresh {
		return k, nil
	}
	// Nobody waits for somebody else's fetch when the keys at hand are merely old.
	newer, err := s.refresh(ctx, set, s.limit, !known || set.age() >= usable)
	if err == nil {
		set = newer
	} else if set.age() >= usable {
		return nil, err
	}
	if k, known = set.key(id); known {
		return k, nil
	}
	return nil, ErrInvalidToken
}

func (f *fetched) key(id string) (*key, bool) {
	if f == nil {
		return nil, false
	}
	k, known := f.keys[id]
	return k, known
}

// age is how long ago the keys were fetched; keys that never were are too old for everything.
func (f *fetched) age() time.Duration {
	if f == nil {
		return usable
	}
	return time.Since(f.at)
}

// refresh fetches the document unless somebody has replaced known meanwhile. errs.Unavailable if it cannot be had, not
// so soon again, or somebody else is at it and the caller does not wait.
func (s *keySet) refresh(ctx context.Context, known *fetched, limit *rate.Limiter, wait bool) (*fetched, error) {
	select {
	case s.turn <- struct{}{}:
	default:
		if !wait {
			return nil, errNoKeys
		}
		select {
		case s.turn <- struct{}{}:
		case <-ctx.Done():
			return nil, errNoKeys
		}
	}
	defer func() { <-s.turn }()
	if set := s.current.Load(); set != known {
		return set, nil
	}
	if !limit.Allow() {
		return nil, errNoKeys
	}
	// The keys are for everybody: a caller who goes away must not spoil the fetch for those who wait.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), fetchTimeout)
	defer cancel()
	keys, err := s.fetch(ctx)
	if err != nil {
		slog.WarnContext(ctx, "the issuer's keys cannot be fetched", "error", err.Error())
		return nil, errNoKeys
	}
	for id, k := range keys {
		// An unchanged key stays the same pointer, so that what was verified with it stays known.
		if old, had := known.key(id); had && old.equal(k) {
			keys[id] = old
		}
	}
	set := &fetched{keys: keys, at: time.Now()}
	s.current.Store(set)
	return set, nil
}

func (s *keySet) fetch(ctx context.Context) (map[string]*key, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url, nil)
	if err != nil {
		return nil, err
	}
	response, err := s.client.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the answer is %s", response.Status)
	}
	document, err := io.ReadAll(io.LimitReader(response.Body, maxDocument+1))
	if err != nil {
		return nil, err
	}
	if len(document) > maxDocument {
		return nil, fmt.Errorf("the document is larger than %d bytes", maxDocument)
	}
	return keysOf(document)
}

// keysOf reads a JWKS document (RFC 7517). Keys that we cannot use are passed over, as section 5 asks for; a document
// without any that we can is an error.
func keysOf(document []byte) (map[string]*key, error) {
	set, err := jwk.Parse(document, jwk.WithIgnoreParseError(true))
	if err != nil {
		return nil, err
	}
	keys := map[string]*key{}
	for i := range min(set.Len(), maxKeys) {
		if one, ok := set.Key(i); ok && one.KeyID() != "" {
			if k, ok := usableKey(one); ok {
				keys[one.KeyID()] = &k
			}
		}
	}
	if len(keys) == 0 {
		return nil, errors.New("the document has no key that can verify EdDSA, ES256 or RS256")
	}
	return keys, nil
}

func (k *key) equal(other *key) bool {
	raw, ok := k.raw.(interface{ Equal(crypto.PublicKey) bool })
	return ok && k.algorithm == other.algorithm && raw.Equal(other.raw)
}

// usableKey gives a public key its algorithm: the only one we take for its type. A symmetric key in a public document is
// no key at all.
func usableKey(one jwk.Key) (key, bool) {
	var k key
	if use := one.KeyUsage(); use != "" && use != string(jwk.ForSignature) {
		return k, false
	}
	public, err := one.PublicKey()
	if err != nil || public.Raw(&k.raw) != nil {
		return k, false
	}
	switch raw := k.raw.(type) {
	case ed25519.PublicKey:
		k.algorithm = jwa.EdDSA
	case *ecdsa.PublicKey:
		k.algorithm = jwa.ES256
		if raw.Curve != elliptic.P256() {
			return k, false
		}
	case *rsa.PublicKey:
		k.algorithm = jwa.RS256
		if raw.N.BitLen() < minRSA {
			return k, false
		}
	default:
		return k, false
	}
	named := one.Algorithm().String()
	return k, named == "" || named == k.algorithm.String()
}
