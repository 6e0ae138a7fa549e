package auth

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/taskflow-suite/taskflow/pkg/errs"
)

func b64(raw []byte) string { return base64.RawURLEncoding.EncodeToString(raw) }

func edKey(id string) dict {
	return dict{"kty": "OKP", "crv": "Ed25519", "kid": id, "alg": "EdDSA", "x": b64(pairs().ed[32:])}
}

func ecKey(id string) dict {
	p := pairs().ec.PublicKey
	return dict{"kty": "EC", "crv": "P-256", "kid": id, "x": b64(p.X.FillBytes(make([]byte, 32))), "y": b64(p.Y.FillBytes(make([]byte, 32)))}
}

func rsaKey(id string) dict {
	p := pairs().rsa.PublicKey
	return dict{"kty": "RSA", "kid": id, "use": "sig", "n": b64(p.N.Bytes()), "e": b64(big.NewInt(int64(p.E)).Bytes())}
}

func document(keys ...dict) string {
	raw, err := json.Marshal(dict{"keys": keys})
	if err != nil {
		panic(err)
	}
	return string(raw)
}

func edToken(id string) string { return craft(dict{"alg": "EdDSA", "kid": id}, claims(), eddsa) }

func TestVerifyWithPublicKeys(t *testing.T) {
	t.Parallel()
	const shared = "a symmetric key in a public document"
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		other, weak := edKey("other-alg"), ecKey("encryption")
		other["alg"], weak["use"] = "ES256", "enc"
		_, _ = io.WriteString(w, document(edKey("ed"), ecKey("ec"), rsaKey("rsa"), other, weak,
			dict{"kty": "oct", "kid": "oct", "alg": "HS256", "k": b64([]byte(shared))}, dict{"kty": "strange", "kid": "strange"}))
	}))
	t.Cleanup(server.Close)
	v, err := New(Config{JWKSURL: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	if err := v.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	for name, raw := range map[string]string{
		"EdDSA": edToken("ed"),
		"ES256": craft(dict{"alg": "ES256", "kid": "ec"}, claims(), es256),
		"RS256": craft(dict{"alg": "RS256", "kid": "rsa"}, claims(), rs256),
	} {
		t.Run("takes "+name, func(t *testing.T) {
			t.Parallel()
			if got, err := v.Verify(t.Context(), raw); err != nil || got.Subject != "alice" {
				t.Errorf("got %+v, %v", got, err)
			}
		})
	}
	for name, raw := range map[string]string{
		"HS256 signed with a public key":   craft(dict{"alg": "HS256", "kid": "ed"}, claims(), hs256(string(pairs().ed[32:]))),
		"HS256 signed with the modulus":    craft(dict{"alg": "HS256", "kid": "rsa"}, claims(), hs256(string(pairs().rsa.N.Bytes()))),
		"a symmetric key of the document":  craft(dict{"alg": "HS256", "kid": "oct"}, claims(), hs256(shared)),
		"alg none":                         craft(dict{"alg": "none", "kid": "ed"}, claims(), unsigned),
		"no key id":                        craft(dict{"alg": "EdDSA"}, claims(), eddsa),
		"an unknown key id":                edToken("nobody"),
		"another key's id":                 craft(dict{"alg": "ES256", "kid": "ec"}, claims(), eddsa),
		"a key for another algorithm":      edToken("other-alg"),
		"a key for encryption":             craft(dict{"alg": "ES256", "kid": "encryption"}, claims(), es256),
		"PS256 with an RS256 key":          craft(dict{"alg": "PS256", "kid": "rsa"}, claims(), rs256),
		"an expired token":                 craft(dict{"alg": "EdDSA", "kid": "ed"}, claims(dict{"exp": 1}), eddsa),
		"an address of keys in its header": craft(dict{"alg": "EdDSA", "kid": "evil", "jku": "http://evil.example"}, claims(), eddsa),
	} {
		t.Run("refuses "+name, func(t *testing.T) {
			t.Parallel()
			if got, err := v.Verify(t.Context(), raw); !errors.Is(err, ErrInvalidToken) || got != (Claims{}) {
				t.Errorf("got %+v, %v", got, err)
			}
		})
	}
}

// issuer answers in memory, so that a test's clock can stand still while it works.
type issuer struct {
	document atomic.Pointer[string]
	fetches  atomic.Int32
	delay    atomic.Int64
}

func (i *issuer) RoundTrip(*http.Request) (*http.Response, error) {
	i.fetches.Add(1)
	<-time.After(time.Duration(i.delay.Load()))
	text := i.document.Load()
	if text == nil {
		return nil, errors.New("connection refused")
	}
	return &http.Response{StatusCode: http.StatusOK, Status: "200 OK", Body: io.NopCloser(strings.NewReader(*text))}, nil
}

func (i *issuer) publish(keys ...dict) {
	text := document(keys...)
	i.document.Store(&text)
}

func withIssuer(t *testing.T, test func(*testing.T, *issuer, *Verifier)) {
	t.Helper()
	pairs()
	synctest.Test(t, func(t *testing.T) {
		i, set := &issuer{}, newKeySet("http://issuer.example/jwks")
		set.client.Transport = i
		test(t, i, newVerifier(set.find, set.ready))
	})
}

func verifies(t *testing.T, v *Verifier, id string, want error) {
	t.Helper()
	if _, err := v.Verify(t.Context(), edToken(id)); !errors.Is(err, want) {
		t.Errorf("a token signed with %s: %v, want %v", id, err, want)
	}
}

func TestKeySet(t *testing.T) {
	t.Parallel()
	t.Run("an issuer that is down makes tokens unverifiable, not invalid, until it is back", func(t *testing.T) {
		t.Parallel()
		withIssuer(t, func(t *testing.T, i *issuer, v *Verifier) {
			for range 100 {
				verifies(t, v, "k1", errNoKeys)
			}
			if err := v.Ready(t.Context()); !errs.Is(err, errs.Unavailable) {
				t.Errorf("ready: %v", err)
			}
			if n := i.fetches.Load(); n != fetchBurst+1 {
				t.Errorf("%d fetches", n)
			}
			i.publish(edKey("k1"))
			<-time.After(readyEvery)
			if err := v.Ready(t.Context()); err != nil {
				t.Error(err)
			}
			verifies(t, v, "k1", nil)
		})
	})
	t.Run("waiting for an issuer leaves the new key that signs its first token to be found", func(t *testing.T) {
		t.Parallel()
		withIssuer(t, func(t *testing.T, i *issuer, v *Verifier) {
			for range 10 * fetchBurst {
				if err := v.Ready(t.Context()); !errs.Is(err, errs.Unavailable) {
					t.Errorf("ready: %v", err)
				}
				<-time.After(readyEvery / 2)
			}
			if n := i.fetches.Load(); n > 5*fetchBurst+1 {
				t.Errorf("%d fetches in %v", n, 5*fetchBurst*readyEvery)
			}
			i.publish(edKey("k1"))
			<-time.After(readyEvery)
			if err := v.Ready(t.Context()); err != nil {
				t.Error(err)
			}
			i.publish(edKey("k1"), edKey("k2"))
			verifies(t, v, "k2", nil)
		})
	})
	t.Run("a new key is found at once and unknown ids cannot make us ask often", func(t *testing.T) {
		t.Parallel()
		withIssuer(t, func(t *testing.T, i *issuer, v *Verifier) {
			i.publish(edKey("k1"))
			verifies(t, v, "k1", nil)
			i.publish(edKey("k1"), edKey("k2"))
			verifies(t, v, "k2", nil)
			for range 1000 {
				verifies(t, v, "nobody", ErrInvalidToken)
			}
			verifies(t, v, "k1", nil)
			if n := i.fetches.Load(); n != fetchBurst {
				t.Errorf("%d fetches", n)
			}
		})
	})
	t.Run("a changed key under the same id stops what the old one signed", func(t *testing.T) {
		t.Parallel()
		withIssuer(t, func(t *testing.T, i *issuer, v *Verifier) {
			i.publish(edKey("k1"))
			raw := craft(dict{"alg": "EdDSA", "kid": "k1"}, claims(), eddsa)
			expect := func(want error) {
				t.Helper()
				if _, err := v.Verify(t.Context(), raw); !errors.Is(err, want) {
					t.Errorf("got %v, want %v", err, want)
				}
			}
			expect(nil)
			if n := v.memory.tokens.Len(); n != 1 {
				t.Errorf("%d tokens remembered", n)
			}
			changed := edKey("k1")
			changed["x"] = b64(make([]byte, 32))
			i.publish(changed)
			expect(nil)
			<-time.After(fresh)
			expect(ErrInvalidToken)
		})
	})
	t.Run("a remembered token expires when it says so", func(t *testing.T) {
		t.Parallel()
		withIssuer(t, func(t *testing.T, i *issuer, v *Verifier) {
			i.publish(edKey("k1"))
			raw := craft(dict{"alg": "EdDSA", "kid": "k1"}, claims(dict{"exp": time.Now().Add(time.Minute).Unix()}), eddsa)
			// The skew included, the token counts for 90 s.
			for _, want := range []error{nil, nil, ErrInvalidToken} {
				if _, err := v.Verify(t.Context(), raw); !errors.Is(err, want) {
					t.Errorf("got %v, want %v", err, want)
				}
				<-time.After(45 * time.Second)
			}
		})
	})
	t.Run("what was verified stays known when the keys are fetched again", func(t *testing.T) {
		t.Parallel()
		withIssuer(t, func(t *testing.T, i *issuer, v *Verifier) {
			i.publish(edKey("k1"))
			_, err1 := v.find(t.Context(), "k1")
			before, err2 := v.find(t.Context(), "k1")
			<-time.After(fresh)
			after, err3 := v.find(t.Context(), "k1")
			if err := errors.Join(err1, err2, err3); err != nil || before != after || i.fetches.Load() != 2 {
				t.Errorf("%v, same %v, %d fetches", err, before == after, i.fetches.Load())
			}
		})
	})
	t.Run("a withdrawn key stops counting", func(t *testing.T) {
		t.Parallel()
		withIssuer(t, func(t *testing.T, i *issuer, v *Verifier) {
			i.publish(edKey("k1"), edKey("k2"))
			verifies(t, v, "k1", nil)
			i.publish(edKey("k2"))
			verifies(t, v, "k1", nil)
			<-time.After(fresh)
			verifies(t, v, "k1", ErrInvalidToken)
			verifies(t, v, "k2", nil)
		})
	})
	t.Run("old keys serve while the issuer is down, for a day", func(t *testing.T) {
		t.Parallel()
		withIssuer(t, func(t *testing.T, i *issuer, v *Verifier) {
			i.publish(edKey("k1"))
			verifies(t, v, "k1", nil)
			i.document.Store(nil)
			<-time.After(usable - time.Second)
			verifies(t, v, "k1", nil)
			if err := v.Ready(t.Context()); err != nil {
				t.Error(err)
			}
			<-time.After(time.Second)
			verifies(t, v, "k1", errNoKeys)
			if err := v.Ready(t.Context()); !errs.Is(err, errs.Unavailable) {
				t.Errorf("ready: %v", err)
			}
		})
	})
	t.Run("many first requests share one fetch, and one who leaves does not spoil it", func(t *testing.T) {
		t.Parallel()
		withIssuer(t, func(t *testing.T, i *issuer, v *Verifier) {
			i.publish(edKey("k1"))
			i.delay.Store(int64(time.Second))
			impatient, leave := context.WithTimeout(t.Context(), time.Millisecond)
			defer leave()
			var all sync.WaitGroup
			all.Go(func() {
				if _, err := v.Verify(impatient, edToken("k1")); err != nil {
					t.Errorf("the one who fetches: %v", err)
				}
			})
			synctest.Wait()
			for range 50 {
				all.Go(func() { verifies(t, v, "k1", nil) })
			}
			all.Go(func() {
				if _, err := v.Verify(impatient, edToken("k1")); !errs.Is(err, errs.Unavailable) {
					t.Errorf("one who cannot wait: %v", err)
				}
			})
			all.Wait()
			if n := i.fetches.Load(); n != 1 {
				t.Errorf("%d fetches", n)
			}
		})
	})
	t.Run("while old keys are renewed nobody else waits", func(t *testing.T) {
		t.Parallel()
		withIssuer(t, func(t *testing.T, i *issuer, v *Verifier) {
			i.publish(edKey("k1"))
			verifies(t, v, "k1", nil)
			<-time.After(fresh)
			i.delay.Store(int64(time.Second))
			var first sync.WaitGroup
			first.Go(func() { verifies(t, v, "k1", nil) })
			synctest.Wait()
			begun := time.Now()
			verifies(t, v, "k1", nil)
			if waited := time.Since(begun); waited != 0 {
				t.Errorf("waited %v", waited)
			}
			first.Wait()
		})
	})
}

func TestBadKeyDocuments(t *testing.T) {
	t.Parallel()
	for name, handler := range map[string]http.HandlerFunc{
		"is missing": http.NotFound,
		"leads elsewhere": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://169.254.169.254/", http.StatusFound)
		},
		"is no JSON":  func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>") },
		"is empty":    func(http.ResponseWriter, *http.Request) {},
		"has no keys": func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, document()) },
		"has only secret keys": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, document(dict{"kty": "oct", "kid": "k", "k": "AAAA"}))
		},
		"is too large": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, document(edKey("k1"))+strings.Repeat(" ", maxDocument))
		},
	} {
		t.Run("a document that "+name+" gives no keys", func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(handler)
			t.Cleanup(server.Close)
			v, err := New(Config{JWKSURL: server.URL})
			if err != nil {
				t.Fatal(err)
			}
			if err := v.Ready(t.Context()); !errs.Is(err, errs.Unavailable) || strings.Contains(errs.Text(err), "http") {
				t.Errorf("got %v", err)
			}
		})
	}
}

func FuzzKeysOf(f *testing.F) {
	f.Add([]byte(document(edKey("a"), ecKey("b"), rsaKey("c"))))
	f.Add([]byte(`{"keys":[{"kty":"EC","crv":"P-256","kid":"x","x":"","y":""}]}`))
	f.Add([]byte(`{`))
	f.Fuzz(func(t *testing.T, document []byte) {
		keys, err := keysOf(document)
		if (err == nil) != (len(keys) > 0) {
			t.Errorf("%d keys, %v", len(keys), err)
		}
		for id, k := range keys {
			if id == "" || k.algorithm == "" || k.raw == nil {
				t.Errorf("half a key: %q %+v", id, k)
			}
		}
	})
}
