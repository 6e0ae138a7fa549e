package ws

import (
	"encoding/json"
	"unicode/utf8"

	"github.com/taskflow-suite/taskflow/pkg/errs"
)

// message is what a client says.
type message struct {
	Type  string `json:"type"`
	Token string `json:"token"`
}

// The types of messages a client may send.
const (
	typeAuth = "auth"
	typePing = "ping"
)

// decode reads a client's text message. Members it does not know are passed over, so that a newer client may add some.
// errs.Invalid if it is not UTF-8 (RFC 6455 section 8.1 asks for that check) or not a JSON object with a type.
func decode(raw []byte) (message, error) {
	if !utf8.Valid(raw) {
		return message{}, errs.New(errs.Invalid, "not UTF-8")
	}
	var m message
	if err := json.Unmarshal(raw, &m); err != nil {
		return message{}, errs.Because(err, errs.Invalid, "not a JSON object")
	}
	if m.Type == "" {
		return message{}, errs.New(errs.Invalid, "a message without a type")
	}
	return m, nil
}
