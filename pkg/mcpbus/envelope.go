package mcpbus

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/taskflow-suite/taskflow/pkg/config"
	"github.com/taskflow-suite/taskflow/pkg/errs"
)

// kind is what an envelope is: the type of its event, and part of what is signed, so that neither passes for the other.
type kind string

const (
	request kind = "mcp.request"
	reply   kind = "mcp.reply"
)

// envelope is what travels. A reply repeats the fields of the request it belongs to, without the expiry.
type envelope struct {
	ClientID  string `json:"client_id"`
	RequestID string `json:"request_id"`
	UserID    string `json:"user_id"`
	ReplyTo   string `json:"reply_to"`
	// ExpiresAt is RFC 3339 with up to nine digits of a second, in UTC. It is kept as text because it is signed as text.
	ExpiresAt     string `json:"expires_at,omitempty"`
	CorrelationID string `json:"correlation_id,omitempty"`
	MAC           string `json:"mac"`
	// Message is JSON-RPC, as a text and not as an object: on its way the sidecar reads the event's JSON and writes it anew,
	// with other spaces, another order of keys and every number rounded to a float64, and no MAC would survive that.
	Message string `json:"message"`
}

// Bounds of what a field may hold, above anything TaskFlow writes.
const (
	maxID      = 255
	uuidLength = 36
)

// key signs and verifies.
type key []byte

// newKey panics if the secret is too short: package config has asked before, so that is a mistake in the program, and an
// empty key would let anybody in.
func newKey(secret config.Secret) key {
	if len(secret.Reveal()) < minSecret {
		panic("mcpbus: MCP_SECRET is too short")
	}
	return key(secret.Reveal())
}

// seal signs the envelope and writes its JSON.
func (k key) seal(as kind, e envelope) ([]byte, error) {
	// What is no UTF-8 does not survive JSON, and would be signed as something else than what arrives.
	e.Message = strings.ToValidUTF8(e.Message, "\uFFFD")
	e.MAC = base64.StdEncoding.EncodeToString(k.mac(as, &e))
	return json.Marshal(e)
}

// mac is HMAC-SHA256 over the kind and every other field, each after its length, so that no two envelopes are the same
// bytes.
func (k key) mac(as kind, e *envelope) []byte {
	h := hmac.New(sha256.New, k)
	var length [8]byte
	for _, field := range [...]string{
		string(as), e.ClientID, e.RequestID, e.UserID, e.ReplyTo, e.ExpiresAt, e.CorrelationID, e.Message,
	} {
		binary.BigEndian.PutUint64(length[:], uint64(len(field)))
		h.Write(length[:])
		h.Write([]byte(field))
	}
	return h.Sum(nil)
}

// parse reads an envelope without trusting it. errs.Invalid if it is none or lacks something.
func parse(data []byte) (envelope, error) {
	var e envelope
	if err := json.Unmarshal(data, &e); err != nil {
		return envelope{}, errs.Because(err, errs.Invalid, "not an envelope of MCP")
	}
	switch {
	case !isUUID(e.RequestID), !isUUID(e.ReplyTo):
		return envelope{}, errs.New(errs.Invalid, "an envelope of MCP lacks a UUID for its request or for the replica that asks")
	case e.ClientID == "", e.Message == "":
		return envelope{}, errs.New(errs.Invalid, "an envelope of MCP lacks its client or its message")
	case len(e.ClientID) > maxID, len(e.UserID) > maxID, len(e.CorrelationID) > maxID:
		return envelope{}, errs.New(errs.Invalid, "an envelope of MCP has an id of more than %d bytes", maxID)
	}
	return e, nil
}

// verify is errs.Denied unless the envelope was signed with the key, as that kind.
func (k key) verify(as kind, e *envelope) error {
	mac, err := base64.StdEncoding.DecodeString(e.MAC)
	if err != nil || !hmac.Equal(mac, k.mac(as, e)) {
		return errs.New(errs.Denied, "an envelope of MCP is not signed with our key")
	}
	return nil
}

// expiry is when a request ends. errs.Invalid if the envelope does not say.
func (e *envelope) expiry() (time.Time, error) {
	at, err := time.Parse(time.RFC3339Nano, e.ExpiresAt)
	if err != nil {
		return time.Time{}, errs.Because(err, errs.Invalid, "a request of MCP does not say when it expires")
	}
	return at, nil
}

// partition is the key under which the message travels: the user, as on every topic. What belongs to no user is spread by
// replica.
func (e *envelope) partition() string {
	if e.UserID == "" {
		return e.ReplyTo
	}
	return e.UserID
}

// isUUID accepts the usual form only: package uuid also reads others.
func isUUID(s string) bool { return len(s) == uuidLength && uuid.Validate(s) == nil }
