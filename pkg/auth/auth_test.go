package auth

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/taskflow-suite/taskflow/pkg/config"
	"github.com/taskflow-suite/taskflow/pkg/errs"
)

const secret = "a secret of at least thirty-two bytes"

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// dict keeps the tables below short.
type dict = map[string]any

func claims(change ...dict) dict {
	all := dict{
		"sub": "alice", "iat": time.Now().Unix(), "exp": time.Now().Add(time.Hour).Unix(),
		"iss": "https://issuer.example", "aud": "taskflow",
	}
	for _, c := range change {
		for name, value := range c {
			if all[name] = value; value == nil {
				delete(all, name)
			}
		}
	}
	return all
}

// craft makes a token by hand, for no library would make most of these.
func craft(header, body any, sign func([]byte) []byte) string {
	encode := func(v any) string {
		raw, isRaw := v.([]byte)
		if !isRaw {
			var err error
			if raw, err = json.Marshal(v); err != nil {
				panic(err)
			}
		}
		return base64.RawURLEncoding.EncodeToString(raw)
	}
	input := encode(header) + "." + encode(body)
	return input + "." + base64.RawURLEncoding.EncodeToString(sign([]byte(input)))
}

// otherwise is the same bytes in base64url, with other bits behind the last of them.
func otherwise(encoded string) string {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	last := strings.IndexByte(letters, encoded[len(encoded)-1])
	if len(encoded)%4 == 0 {
		panic("all bits of " + encoded + " are used")
	}
	return encoded[:len(encoded)-1] + string(letters[last^1])
}

func hs256(secret string) func([]byte) []byte {
	return func(input []byte) []byte {
		mac := hmac.New(sha256.New, []byte(secret))
		mac.Write(input)
		return mac.Sum(nil)
	}
}

func unsigned([]byte) []byte { return nil }

// pairs are the issuer's key pairs, made once: RSA takes its time.
var pairs = sync.OnceValue(func() (p struct {
	ed  ed25519.PrivateKey
	ec  *ecdsa.PrivateKey
	rsa *rsa.PrivateKey
},
) {
	var err1, err2, err3 error
	_, p.ed, err1 = ed25519.GenerateKey(rand.Reader)
	p.ec, err2 = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	p.rsa, err3 = rsa.GenerateKey(rand.Reader, 2048)
	if err := errors.Join(err1, err2, err3); err != nil {
		panic(err)
	}
	return p
})

func eddsa(input []byte) []byte { return ed25519.Sign(pairs().ed, input) }

func es256(input []byte) []byte {
	sum := sha256.Sum256(input)
	r, s, err := ecdsa.Sign(rand.Reader, pairs().ec, sum[:])
	if err != nil {
		panic(err)
	}
	return append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...)
}

func rs256(input []byte) []byte {
	sum := sha256.Sum256(input)
	signature, err := rsa.SignPKCS1v15(rand.Reader, pairs().rsa, crypto.SHA256, sum[:])
	if err != nil {
		panic(err)
	}
	return signature
}

func TestVerifyWithASharedSecret(t *testing.T) {
	t.Parallel()
	v, err := New(Config{Secret: config.NewSecret(secret), Issuer: "https://issuer.example", Audience: "taskflow"})
	if err != nil {
		t.Fatal(err)
	}
	hs := dict{"alg": "HS256", "typ": "JWT"}
	good := craft(hs, claims(), hs256(secret))
	parts := strings.Split(good, ".")
	var spare []string // a good token whose body ends within a letter
	for pad := ""; spare == nil || len(spare[1])%4 == 0; pad += "x" {
		spare = strings.Split(craft(hs, claims(dict{"pad": pad}), hs256(secret)), ".")
	}
	rsaPublic := string(x509.MarshalPKCS1PublicKey(&pairs().rsa.PublicKey))

	for name, raw := range map[string]string{
		"a good token":                                good,
		"a key id is not asked for":                   craft(dict{"alg": "HS256", "kid": "x"}, claims(), hs256(secret)),
		"expired within the clocks' skew":             craft(hs, claims(dict{"exp": time.Now().Add(-20 * time.Second).Unix()}), hs256(secret)),
		"valid from a moment ago":                     craft(hs, claims(dict{"nbf": time.Now().Add(-time.Second).Unix()}), hs256(secret)),
		"one audience in a list":                      craft(hs, claims(dict{"aud": []string{"taskflow"}}), hs256(secret)),
		"a fraction of a second in exp (RFC 7519, 2)": craft(hs, claims(dict{"exp": float64(time.Now().Add(time.Hour).Unix()) + 0.5}), hs256(secret)),
		"claims nobody knows":                         craft(hs, claims(dict{"email": "a@example.org", "n": []int{1}}), hs256(secret)),
	} {
		t.Run("takes "+name, func(t *testing.T) {
			t.Parallel()
			got, err := v.Verify(t.Context(), raw)
			if err != nil || got.Subject != "alice" || got.Expires.IsZero() || got.Scope != Session {
				t.Errorf("got %+v, %v", got, err)
			}
		})
	}

	for name, raw := range map[string]string{
		"alg none":                                craft(dict{"alg": "none"}, claims(), unsigned),
		"alg none in capitals":                    craft(dict{"alg": "NONE"}, claims(), unsigned),
		"alg none over a good signature":          craft(dict{"alg": "none"}, claims(), hs256(secret)),
		"no alg over a good signature":            craft(dict{"typ": "JWT"}, claims(), hs256(secret)),
		"HS512 over an HS256 signature":           craft(dict{"alg": "HS512"}, claims(), hs256(secret)),
		"an RS256 token":                          craft(dict{"alg": "RS256"}, claims(), rs256),
		"an HS256 token signed with a public key": craft(hs, claims(), hs256(rsaPublic)),
		"another secret":                          craft(hs, claims(), hs256(secret+"x")),
		"no signature":                            parts[0] + "." + parts[1] + ".",
		"another's body under a good signature":   parts[0] + "." + strings.Split(craft(hs, claims(dict{"sub": "bob"}), unsigned), ".")[1] + "." + parts[2],
		"an embedded key":                         craft(dict{"alg": "HS256", "jwk": dict{"kty": "oct", "k": "AAAA"}}, claims(), hs256("\x00\x00\x00")),
		"a critical extension":                    craft(dict{"alg": "HS256", "crit": []string{"b64"}, "b64": false}, claims(), hs256(secret)),
		"expired":                                 craft(hs, claims(dict{"exp": time.Now().Add(-31 * time.Second).Unix()}), hs256(secret)),
		"not valid yet":                           craft(hs, claims(dict{"nbf": time.Now().Add(time.Minute).Unix()}), hs256(secret)),
		"issued in the future":                    craft(hs, claims(dict{"iat": time.Now().Add(time.Minute).Unix()}), hs256(secret)),
		"no sub":                                  craft(hs, claims(dict{"sub": nil}), hs256(secret)),
		"an empty sub":                            craft(hs, claims(dict{"sub": ""}), hs256(secret)),
		"a sub that is no user's id":              craft(hs, claims(dict{"sub": "../bob"}), hs256(secret)),
		"a sub that is a number":                  craft(hs, claims(dict{"sub": 7}), hs256(secret)),
		"no exp":                                  craft(hs, claims(dict{"exp": nil}), hs256(secret)),
		"an exp that is no time":                  craft(hs, claims(dict{"exp": "never"}), hs256(secret)),
		"another issuer":                          craft(hs, claims(dict{"iss": "https://evil.example"}), hs256(secret)),
		"no issuer":                               craft(hs, claims(dict{"iss": nil}), hs256(secret)),
		"another audience":                        craft(hs, claims(dict{"aud": "billing"}), hs256(secret)),
		"no audience":                             craft(hs, claims(dict{"aud": nil}), hs256(secret)),
		"several audiences":                       craft(hs, claims(dict{"aud": []string{"taskflow", "billing"}}), hs256(secret)),
		"more than 8 KiB":                         craft(hs, claims(dict{"pad": strings.Repeat("x", 8<<10)}), hs256(secret)),
		"a token within a token":                  craft(hs, []byte(good), hs256(secret)),
		"a body that is no JSON":                  craft(hs, []byte("alice"), hs256(secret)),
		"a body that is null":                     craft(hs, []byte("null"), hs256(secret)),
		"a header that is no JSON":                craft([]byte("x"), claims(), hs256(secret)),
		"the JSON serialisation":                  `{"payload":"` + parts[1] + `","protected":"` + parts[0] + `","signature":"` + parts[2] + `"}`,
		"five parts, as an encrypted one has":     good + ".x.y",
		"only dots":                               "..",
		"no dots":                                 "token",
		"a space at its end":                      good + " ",
		"a line end within":                       parts[0] + "." + parts[1] + "\n." + parts[2],
		"a signature spelled otherwise":           parts[0] + "." + parts[1] + "." + otherwise(parts[2]),
		"a body spelled otherwise":                spare[0] + "." + otherwise(spare[1]) + "." + spare[2],
		"binary":                                  "\x00\xff\xfe",
	} {
		t.Run("refuses "+name, func(t *testing.T) {
			t.Parallel()
			if got, err := v.Verify(t.Context(), raw); !errors.Is(err, ErrInvalidToken) || got != (Claims{}) {
				t.Errorf("got %+v, %v", got, err)
			}
		})
	}

	t.Run("tells a missing token from a bad one", func(t *testing.T) {
		t.Parallel()
		if _, err := v.Verify(t.Context(), ""); !errors.Is(err, ErrNoToken) || errors.Is(err, ErrInvalidToken) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("takes any issuer and audience if none is configured, but never two audiences", func(t *testing.T) {
		t.Parallel()
		open, err := New(Config{Secret: config.NewSecret(secret)})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := open.Verify(t.Context(), craft(hs, claims(dict{"iss": nil, "aud": nil}), hs256(secret))); err != nil {
			t.Error(err)
		}
		if _, err := open.Verify(t.Context(), craft(hs, claims(dict{"aud": []string{"a", "b"}}), hs256(secret))); !errors.Is(err, ErrInvalidToken) {
			t.Errorf("got %v", err)
		}
		if err := open.Ready(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestConfig(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		config Config
		want   string
	}{
		"neither a secret nor keys":  {Config{}, "openssl rand -base64 48"},
		"both a secret and keys":     {Config{Secret: config.NewSecret(secret), JWKSURL: "http://x/jwks"}, "not both"},
		"a short secret":             {Config{Secret: config.NewSecret("0123456789012345678901234567890")}, "has 31 bytes: expected at least 32; make one with: openssl rand -base64 48"},
		"keys from a file":           {Config{JWKSURL: "file:///etc/passwd"}, "JWT_JWKS_URL must be"},
		"keys from no address":       {Config{JWKSURL: "jwks"}, "JWT_JWKS_URL must be"},
		"keys from a broken address": {Config{JWKSURL: "http://[x"}, "JWT_JWKS_URL must be"},
	} {
		t.Run(name+" is refused", func(t *testing.T) {
			t.Parallel()
			if _, err := New(c.config); err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "0123") {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestMint(t *testing.T) {
	t.Parallel()
	v, err := New(Config{Secret: config.NewSecret(secret), Issuer: "dev", Audience: "taskflow"})
	if err != nil {
		t.Fatal(err)
	}
	raw, err := Mint(secret, "alice", time.Hour, WithIssuer("dev"), WithAudience("taskflow"))
	if err != nil {
		t.Fatal(err)
	}
	got, err := v.Verify(t.Context(), raw)
	if err != nil || got.Subject != "alice" || time.Until(got.Expires).Round(time.Minute) != time.Hour {
		t.Errorf("got %+v, %v", got, err)
	}
	if plain, err := Mint(secret, "alice", time.Hour, WithIssuer(""), WithAudience("")); err != nil {
		t.Error(err)
	} else if _, err := v.Verify(t.Context(), plain); !errors.Is(err, ErrInvalidToken) {
		t.Errorf("without issuer: %v", err)
	}
	for name, mint := range map[string]func() (string, error){
		"a short secret":  func() (string, error) { return Mint("short", "alice", time.Hour) },
		"a bad user":      func() (string, error) { return Mint(secret, "a/b", time.Hour) },
		"no time to live": func() (string, error) { return Mint(secret, "alice", 0) },
	} {
		if raw, err := mint(); err == nil || raw != "" {
			t.Errorf("%s: %q, %v", name, raw, err)
		}
	}
}

func TestValidSubject(t *testing.T) {
	t.Parallel()
	for id, want := range map[string]bool{
		"alice": true, "auth0|123": true, "a@b.example": true, "0197b3e2-1111-7000-8000-000000000000": true, "urn:x": true,
		strings.Repeat("a", 128): true, strings.Repeat("a", 129): false, "": false, ".": false, "..": false, "a/b": false,
		"a b": false, "a\n": false, "a||b": false, "-a": false, "é": false, "a%2f": false, "a\x00": false,
	} {
		if got := ValidSubject(id); got != want {
			t.Errorf("%q: %v", id, got)
		}
	}
}

func TestOwns(t *testing.T) {
	t.Parallel()
	if err := (Claims{Subject: "alice"}).Owns("alice"); err != nil {
		t.Error(err)
	}
	for _, c := range []struct{ subject, path string }{{"alice", "bob"}, {"alice", "Alice"}, {"alice", ""}, {"", ""}} {
		err := Claims{Subject: c.subject}.Owns(c.path)
		if !errs.Is(err, errs.Denied) || errors.Is(err, ErrInvalidToken) || errors.Is(err, ErrNoToken) {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

func TestFromRequest(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ authorization, cookie, want string }{
		"the header":                          {"Bearer abc", "", "abc"},
		"the header in any case":              {"bearer  abc ", "", "abc"},
		"the cookie":                          {"", "def", "def"},
		"the header before the cookie":        {"Bearer abc", "def", "abc"},
		"the cookie beside another scheme":    {"Basic xyz", "def", "def"},
		"no API token from the cookie":        {"", "tfk_abc", ""},
		"an API token from the header":        {"Bearer tfk_abc", "def", "tfk_abc"},
		"nothing":                             {"", "", ""},
		"nothing from a scheme without token": {"Bearer ", "", ""},
	} {
		t.Run("takes "+name, func(t *testing.T) {
			t.Parallel()
			r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
			if err != nil {
				t.Fatal(err)
			}
			if c.authorization != "" {
				r.Header.Set("Authorization", c.authorization)
			}
			if c.cookie != "" {
				r.AddCookie(&http.Cookie{Name: "taskflow_token", Value: c.cookie})
			}
			if got := FromRequest(r); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestClaimsTravelInTheContext(t *testing.T) {
	t.Parallel()
	if _, ok := FromContext(t.Context()); ok {
		t.Error("nobody was verified")
	}
	if c, ok := FromContext(WithClaims(t.Context(), Claims{Subject: "alice"})); !ok || c.Subject != "alice" {
		t.Errorf("got %+v", c)
	}
}

func FuzzVerify(f *testing.F) {
	v, err := New(Config{Secret: config.NewSecret(secret)})
	if err != nil {
		f.Fatal(err)
	}
	// The same in all processes that fuzz.
	lasting := claims()
	lasting["iat"], lasting["exp"] = 0, time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC).Unix()
	good := craft(dict{"alg": "HS256"}, lasting, hs256(secret))
	for _, seed := range []string{"", ".", "..", "a.b.c", good, good + ".", craft(dict{"alg": "none"}, lasting, unsigned)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		got, err := v.Verify(context.Background(), raw)
		if err != nil {
			if got != (Claims{}) {
				t.Errorf("claims beside an error: %+v", got)
			}
			return
		}
		// Nobody forges a signature by luck: what is taken is the good token, letter by letter.
		if raw != good || got.Subject != "alice" {
			t.Errorf("%q is taken as %+v", raw, got)
		}
	})
}
