package abuse_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"maps"
	"math/big"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

const (
	issuerName = "https://issuer.example.org"
	audience   = "taskflow"
)

// issuer signs tokens as the page does, and shows its keys. The services take its word, or, those with a shared secret,
// that of whoever has the secret.
type issuer struct {
	url    string
	secret string
	keys   map[string]crypto.Signer // by their ids
}

func newIssuer(t *testing.T) *issuer {
	t.Helper()
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	rs, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	i := &issuer{secret: rand.Text() + rand.Text(), keys: map[string]crypto.Signer{"ed": ed, "rsa": rs, "ec": ec}}
	document := i.document(t)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(document)
	}))
	t.Cleanup(server.Close)
	i.url = server.URL + "/jwks"
	return i
}

// document is the keys' public halves (RFC 7517).
func (i *issuer) document(t *testing.T) []byte {
	t.Helper()
	var keys []map[string]string
	for id, k := range i.keys {
		keys = append(keys, jwkOf(t, id, k.Public()))
	}
	text, err := json.Marshal(map[string]any{"keys": keys})
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func jwkOf(t *testing.T, id string, public crypto.PublicKey) map[string]string {
	t.Helper()
	switch k := public.(type) {
	case ed25519.PublicKey:
		return map[string]string{"kid": id, "kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "x": b64(k)}
	case *rsa.PublicKey:
		return map[string]string{"kid": id, "kty": "RSA", "alg": "RS256", "use": "sig", "n": b64(k.N.Bytes()), "e": b64(big.NewInt(int64(k.E)).Bytes())}
	case *ecdsa.PublicKey:
		point, err := k.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		return map[string]string{"kid": id, "kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "x": b64(point[1:33]), "y": b64(point[33:])}
	}
	t.Fatalf("no JWK of a %T", public)
	return nil
}

// claims are those of a good token, changed: a nil value takes one away.
func claims(sub string, changes map[string]any) map[string]any {
	c := map[string]any{
		"sub": sub, "iss": issuerName, "aud": audience, "iat": time.Now().Unix(), "exp": time.Now().Add(time.Hour).Unix(),
	}
	maps.Copy(c, changes)
	maps.DeleteFunc(c, func(_ string, v any) bool { return v == nil })
	return c
}

// token is a good one.
func (i *issuer) token(sub string) string { return i.by("ed", nil, claims(sub, nil)) }

// algorithms of the keys, by their ids.
var algorithms = map[string]string{"ed": "EdDSA", "rsa": "RS256", "ec": "ES256"}

// by signs with a key of ours, under a header that is changed.
func (i *issuer) by(id string, changes, payload map[string]any) string {
	header := map[string]any{"alg": algorithms[id], "kid": id, "typ": "JWT"}
	maps.Copy(header, changes)
	maps.DeleteFunc(header, func(_ string, v any) bool { return v == nil })
	signed := part(header) + "." + part(payload)
	return signed + "." + b64(sign(i.keys[id], signed))
}

// sign signs as the key's algorithm does.
func sign(key crypto.Signer, text string) []byte {
	switch k := key.(type) {
	case *rsa.PrivateKey:
		digest := sha256.Sum256([]byte(text))
		s, err := rsa.SignPKCS1v15(rand.Reader, k, crypto.SHA256, digest[:])
		if err != nil {
			panic(err)
		}
		return s
	case *ecdsa.PrivateKey:
		digest := sha256.Sum256([]byte(text))
		r, s, err := ecdsa.Sign(rand.Reader, k, digest[:])
		if err != nil {
			panic(err)
		}
		return append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...)
	case ed25519.PrivateKey:
		return ed25519.Sign(k, []byte(text))
	}
	panic("no such key")
}

// mac signs with a secret.
func mac(secret []byte, header, payload map[string]any) string {
	signed := part(header) + "." + part(payload)
	h := hmac.New(sha256.New, secret)
	if header["alg"] == "HS512" {
		h = hmac.New(sha512.New, secret)
	}
	h.Write([]byte(signed))
	return signed + "." + b64(h.Sum(nil))
}

func part(of map[string]any) string {
	text, err := json.Marshal(of)
	if err != nil {
		panic(err)
	}
	return b64(text)
}

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }
