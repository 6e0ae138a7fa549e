package auth

import (
	"testing"

	"github.com/taskflow-suite/taskflow/pkg/config"
)

func BenchmarkVerify(b *testing.B) {
	shared, err := New(Config{Secret: config.NewSecret(secret)})
	if err != nil {
		b.Fatal(err)
	}
	set := newKeySet("http://issuer.example/jwks")
	i := &issuer{}
	i.publish(edKey("ed"), ecKey("ec"), rsaKey("rsa"))
	set.client.Transport = i
	public := newVerifier(set.find, set.ready)
	for name, c := range map[string]struct {
		verifier *Verifier
		raw      string
	}{
		"HS256": {shared, craft(dict{"alg": "HS256"}, claims(), hs256(secret))},
		"EdDSA": {public, edToken("ed")},
		"ES256": {public, craft(dict{"alg": "ES256", "kid": "ec"}, claims(), es256)},
		"RS256": {public, craft(dict{"alg": "RS256", "kid": "rsa"}, claims(), rs256)},
	} {
		b.Run(name+" first", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				c.verifier.memory.tokens.Purge()
				if _, err := c.verifier.Verify(b.Context(), c.raw); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(name+" again", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := c.verifier.Verify(b.Context(), c.raw); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
