package abuse_test

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// forgeries are tokens that must not count at a door that takes the issuer's keys.
func (i *issuer) forgeries(t *testing.T) map[string]string {
	t.Helper()
	good := i.token("ada")
	parts := strings.Split(good, ".")
	public := i.keys["rsa"].Public()
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	key, err := json.Marshal(jwkOf(t, "rsa", public))
	if err != nil {
		t.Fatal(err)
	}
	strangerPublic, stranger, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	strangers := &issuer{keys: map[string]crypto.Signer{"ed": stranger}}
	elsewhere := newIssuer(t) // whose keys are at an address that a header may name
	mine := claims("ada", nil)
	hs := map[string]any{"alg": "HS256", "kid": "rsa"}
	all := map[string]string{
		"not a token":                        "ada",
		"three dots":                         "...",
		"empty parts":                        "..",
		"one part":                           parts[0],
		"two parts":                          parts[0] + "." + parts[1],
		"no signature":                       parts[0] + "." + parts[1] + ".",
		"a fourth part":                      good + ".x",
		"encrypted":                          good + ".eA.eA",
		"JSON":                               `{"payload":"` + parts[1] + `","protected":"` + parts[0] + `","signature":"` + parts[2] + `"}`,
		"half a signature":                   parts[0] + "." + parts[1] + "." + parts[2][:20],
		"a longer signature":                 good + "AAAA",
		"another's payload":                  parts[0] + "." + part(claims("ada", map[string]any{"x": 1})) + "." + parts[2],
		"a padded payload":                   parts[0] + "." + parts[1] + "=." + parts[2],
		"another alphabet":                   parts[0] + "." + base64.StdEncoding.EncodeToString([]byte(`{"sub":"ada???>>>"}`)) + "." + parts[2],
		"bytes that are no base64":           parts[0] + ".\x80\xff." + parts[2],
		"a header that is no object":         b64([]byte(`"EdDSA"`)) + "." + parts[1] + "." + parts[2],
		"a payload that is no object":        i.raw("ed", `["ada"]`),
		"a payload that is no JSON":          i.raw("ed", `sub=ada`),
		"a payload nested deep":              i.raw("ed", strings.Repeat("[", 2000)+strings.Repeat("]", 2000)),
		"HS256 with the public key in PEM":   mac(text, hs, mine),
		"HS256 with the public key in DER":   mac(der, hs, mine),
		"HS256 with the public key as JWK":   mac(key, hs, mine),
		"HS256 with nothing":                 mac(nil, hs, mine),
		"HS256 with the key of EdDSA":        mac(i.keys["ed"].Public().(ed25519.PublicKey), map[string]any{"alg": "HS256", "kid": "ed"}, mine),
		"the algorithm of another key":       i.by("ed", map[string]any{"alg": "RS256"}, mine),
		"PS256 with a key for RS256":         i.by("rsa", map[string]any{"alg": "PS256"}, mine),
		"ES384 with a key for ES256":         i.by("ec", map[string]any{"alg": "ES384"}, mine),
		"another key's id":                   i.by("ed", map[string]any{"kid": "rsa"}, mine),
		"an unknown key's id":                i.by("ed", map[string]any{"kid": "nobody"}, mine),
		"no key's id":                        i.by("ed", map[string]any{"kid": nil}, mine),
		"an empty key's id":                  i.by("ed", map[string]any{"kid": ""}, mine),
		"a key's id that is a number":        i.by("ed", map[string]any{"kid": 1}, mine),
		"a key's id that is a path":          mac(nil, map[string]any{"alg": "HS256", "kid": "../../../../dev/null"}, mine),
		"a key's id that is SQL":             i.by("ed", map[string]any{"kid": "x' UNION SELECT 'key"}, mine),
		"a key's id of many bytes":           i.by("ed", map[string]any{"kid": strings.Repeat("k", 4000)}, mine),
		"a stranger's key":                   strangers.by("ed", nil, mine),
		"a stranger's key in the header":     strangers.by("ed", map[string]any{"jwk": jwkOf(t, "ed", strangerPublic)}, mine),
		"a stranger's keys at jku":           elsewhere.by("ed", map[string]any{"jku": elsewhere.url}, mine),
		"a stranger's keys at x5u":           elsewhere.by("rsa", map[string]any{"x5u": elsewhere.url}, mine),
		"a stranger's certificate":           elsewhere.by("rsa", map[string]any{"x5c": []string{base64.StdEncoding.EncodeToString(der)}}, mine),
		"something critical that is unknown": i.by("ed", map[string]any{"crit": []string{"x"}, "x": true}, mine),
		"a signature of zeros":               parts0(i, "ec", mine) + "." + b64(make([]byte, 64)),
		"a signature of zeros, EdDSA":        parts0(i, "ed", mine) + "." + b64(make([]byte, 64)),
		"over":                               i.by("ed", nil, claims("ada", map[string]any{"exp": time.Now().Add(-time.Hour).Unix()})),
		"over since a minute":                i.by("ed", nil, claims("ada", map[string]any{"exp": time.Now().Add(-time.Minute).Unix()})),
		"over since ever":                    i.by("ed", nil, claims("ada", map[string]any{"exp": -1})),
		"not yet":                            i.by("ed", nil, claims("ada", map[string]any{"nbf": time.Now().Add(time.Hour).Unix()})),
		"without an end":                     i.by("ed", nil, claims("ada", map[string]any{"exp": nil})),
		"an end that is a word":              i.by("ed", nil, claims("ada", map[string]any{"exp": "never"})),
		"an end that is no number":           i.raw("ed", `{"sub":"ada","iss":"`+issuerName+`","aud":"`+audience+`","exp":1e400}`),
		"another issuer":                     i.by("ed", nil, claims("ada", map[string]any{"iss": "https://elsewhere.example.org"})),
		"an issuer that begins so":           i.by("ed", nil, claims("ada", map[string]any{"iss": issuerName + ".evil.example"})),
		"no issuer":                          i.by("ed", nil, claims("ada", map[string]any{"iss": nil})),
		"another audience":                   i.by("ed", nil, claims("ada", map[string]any{"aud": "another"})),
		"other audiences":                    i.by("ed", nil, claims("ada", map[string]any{"aud": []string{"one", "two"}})),
		"no audience":                        i.by("ed", nil, claims("ada", map[string]any{"aud": nil})),
		"nobody":                             i.by("ed", nil, claims("ada", map[string]any{"sub": nil})),
		"an empty subject":                   i.by("ed", nil, claims("", nil)),
		"a subject that is a number":         i.by("ed", nil, claims("", map[string]any{"sub": 7})),
		"a subject that is a path":           i.by("ed", nil, claims("../ada", nil)),
		"a subject with the state's bars":    i.by("ed", nil, claims("a||ada", nil)),
		"a subject of two lines":             i.by("ed", nil, claims("ada\r\nx: y", nil)),
		"more than 8 KiB":                    i.by("ed", nil, claims("ada", map[string]any{"x": strings.Repeat("x", 9<<10)})),
		"an API token nobody made":           "tfk_" + strings.Repeat("a", 43),
		"an API token of one letter":         "tfk_a",
	}
	for _, none := range []string{"none", "None", "NONE", "nOnE", ""} {
		all["the algorithm "+fmt.Sprintf("%q", none)] = part(map[string]any{"alg": none, "kid": "ed"}) + "." + part(mine) + "."
		all["a signature for "+fmt.Sprintf("%q", none)] = part(map[string]any{"alg": none, "kid": "ed"}) + "." + part(mine) + "." + parts[2]
	}
	return all
}

// raw signs a payload as it stands.
func (i *issuer) raw(id, payload string) string {
	signed := part(map[string]any{"alg": algorithms[id], "kid": id}) + "." + b64([]byte(payload))
	return signed + "." + b64(sign(i.keys[id], signed))
}

func parts0(i *issuer, id string, payload map[string]any) string {
	return part(map[string]any{"alg": algorithms[id], "kid": id}) + "." + part(payload)
}

// door is a way in: it says what status a token has there for what is ada's.
type door struct {
	name string
	try  func(t *testing.T, token string) int
}

func (w *world) tokenDoors() []door {
	c := plain()
	get := func(part, path string, header func(string) http.Header) func(*testing.T, string) int {
		return func(t *testing.T, token string) int {
			t.Helper()
			status, _ := w.ask(t, c, http.MethodGet, w.URL(part)+path, header(token), nil)
			return status
		}
	}
	cookie := func(token string) http.Header { return http.Header{"Cookie": {"taskflow_token=" + token}} }
	socket := func(path string, header http.Header, first string) func(*testing.T, string) int {
		return func(t *testing.T, token string) int {
			t.Helper()
			return w.socketStatus(t, strings.ReplaceAll(path, "TOKEN", url.QueryEscape(token)), replaced(header, token), strings.ReplaceAll(first, "TOKEN", jsonText(token)))
		}
	}
	const window = "/ws/user/ada/tasks"
	return []door{
		{"task-api", get("task-api", userPath("ada", "/tasks"), bearer)},
		{"task-api by the cookie", get("task-api", userPath("ada", "/tasks"), cookie)},
		{"chat-agent", get("chat-agent", userPath("ada", "/conversations"), bearer)},
		{"chat-agent by the cookie", get("chat-agent", userPath("ada", "/conversations"), cookie)},
		{"mcp-tools", func(t *testing.T, token string) int {
			t.Helper()
			header := bearer(token)
			header["Accept"] = []string{"application/json, text/event-stream"}
			status, _ := w.ask(t, c, http.MethodPost, w.URL("mcp-tools")+"/mcp", header,
				strings.NewReader(`{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{}}`))
			return status
		}},
		{"notifier by the header", socket(window, http.Header{"Authorization": {"Bearer TOKEN"}}, "")},
		{"notifier by the query", socket(window+"?token=TOKEN", nil, "")},
		{"notifier by the first message", socket(window, nil, `{"type":"auth","token":TOKEN}`)},
	}
}

func replaced(header http.Header, token string) http.Header {
	out := http.Header{}
	for name, values := range header {
		for _, v := range values {
			out.Add(name, strings.ReplaceAll(v, "TOKEN", token))
		}
	}
	return out
}

func jsonText(s string) string {
	text, err := json.Marshal(s)
	if err != nil {
		panic(err)
	}
	return string(text)
}

// printable reports whether a token can stand in a header at all: Go's client refuses to send what cannot.
func printable(token string) bool {
	return !strings.ContainsFunc(token, func(r rune) bool { return r < ' ' || r > '~' })
}

func (w *world) forgedTokens(t *testing.T) {
	forgeries := w.issuer.forgeries(t)
	for _, d := range w.tokenDoors() {
		// What is refused shows something only where the right thing is taken.
		for id := range w.issuer.keys {
			if status := d.try(t, w.issuer.by(id, nil, claims("ada", nil))); status != http.StatusOK {
				t.Fatalf("%s: a good token, signed with %s, gets %d", d.name, id, status)
			}
		}
		if status := d.try(t, w.issuer.token("eve")); status != http.StatusForbidden && d.name != "mcp-tools" {
			t.Errorf("%s: another user's token gets %d", d.name, status)
		}
		for what, token := range forgeries {
			if !printable(token) {
				continue
			}
			if status := d.try(t, token); status != http.StatusUnauthorized {
				t.Errorf("%s: %s gets %d", d.name, what, status)
			}
		}
	}
	w.forgedSecrets(t)
	w.doubledHeaders(t)
	t.Logf("%d forgeries at %d doors", len(forgeries), len(w.tokenDoors()))
}

// forgedSecrets are for the replica with a shared secret.
func (w *world) forgedSecrets(t *testing.T) {
	t.Helper()
	i, secret, mine := w.issuer, []byte(w.issuer.secret), claims("ada", nil)
	hs256 := map[string]any{"alg": "HS256"}
	good := mac(secret, hs256, mine)
	c := plain()
	try := func(token string) int {
		status, _ := w.ask(t, c, http.MethodGet, w.URL(shared)+userPath("ada", "/tasks"), bearer(token), nil)
		return status
	}
	if status := try(good); status != http.StatusOK {
		t.Fatalf("a good token gets %d", status)
	}
	parts := strings.Split(good, ".")
	for what, token := range map[string]string{
		"no algorithm":       part(map[string]any{"alg": "none"}) + "." + parts[1] + ".",
		"another algorithm":  mac(secret, map[string]any{"alg": "HS512"}, mine),
		"another secret":     mac([]byte(strings.Repeat("x", 32)), hs256, mine),
		"an empty secret":    mac(nil, hs256, mine),
		"half the secret":    mac(secret[:len(secret)/2], hs256, mine),
		"a key of an issuer": i.token("ada"),
		"RS256":              i.by("rsa", nil, mine),
		"over":               mac(secret, hs256, claims("ada", map[string]any{"exp": time.Now().Add(-time.Hour).Unix()})),
		"not yet":            mac(secret, hs256, claims("ada", map[string]any{"nbf": time.Now().Add(time.Hour).Unix()})),
		"another's payload":  parts[0] + "." + part(claims("ada", map[string]any{"x": 1})) + "." + parts[2],
	} {
		if status := try(token); status != http.StatusUnauthorized {
			t.Errorf("a shared secret: %s gets %d", what, status)
		}
	}
}

// doubledHeaders are for readers that take another header than the one that was checked.
func (w *world) doubledHeaders(t *testing.T) {
	t.Helper()
	c := plain()
	ada, eve, bad := "Bearer "+w.issuer.token("ada"), "Bearer "+w.issuer.token("eve"), "Bearer x.y.z"
	for what, header := range map[string]http.Header{
		"a bad one before a good one":        {"Authorization": {bad, ada}},
		"another's before one's own":         {"Authorization": {eve, ada}},
		"another's cookie after a bad token": {"Authorization": {bad}, "Cookie": {"taskflow_token=" + w.issuer.token("ada")}},
		"another's token over one's cookie":  {"Authorization": {eve}, "Cookie": {"taskflow_token=" + w.issuer.token("ada")}},
		"two in one":                         {"Authorization": {bad + ", " + ada}},
		"another scheme":                     {"Authorization": {"Basic " + strings.TrimPrefix(ada, "Bearer ")}},
		"no scheme":                          {"Authorization": {strings.TrimPrefix(ada, "Bearer ")}},
		"an API token in the cookie":         {"Cookie": {"taskflow_token=tfk_" + strings.Repeat("a", 43)}},
		"a header of a proxy":                {"X-Forwarded-User": {"ada"}, "X-User-Id": {"ada"}, "X-Original-Url": {"/healthz"}},
	} {
		for part, path := range map[string]string{"task-api": userPath("ada", "/tasks"), "chat-agent": userPath("ada", "/conversations")} {
			status, _ := w.ask(t, c, http.MethodGet, w.URL(part)+path, header, nil)
			if status != http.StatusUnauthorized && status != http.StatusForbidden {
				t.Errorf("%s: %s gets %d", part, what, status)
			}
		}
	}
}
