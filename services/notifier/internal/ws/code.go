package ws

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/gorilla/websocket"
)

// Code is why a connection ends, as the client and the metrics see it.
type Code struct {
	// Number is the WebSocket close code: RFC 6455 section 7.4.1 below 4000, ours from there on.
	Number int
	// Reason is the close frame's text, at most 123 bytes (RFC 6455 section 5.5).
	Reason string
	// Meaning is for the README: what happened and what a client does about it.
	Meaning string
}

// The codes the server closes with.
var (
	GoingAway    = Code{websocket.CloseGoingAway, "the server restarts", "This replica stops. Reconnect with `since`; the closes are spread over a few seconds."}
	Protocol     = Code{websocket.CloseProtocolError, "protocol error", "A frame that RFC 6455 does not allow. A bug in the client."}
	Binary       = Code{websocket.CloseUnsupportedData, "text frames only", "A binary frame. A bug in the client."}
	NotText      = Code{websocket.CloseInvalidFramePayloadData, "messages are JSON objects with a type, in UTF-8", "A message that is not UTF-8 or not a JSON object with a `type`. A bug in the client."}
	TooBig       = Code{websocket.CloseMessageTooBig, "messages are at most 4096 bytes", "A message over 4 KB. A bug in the client."}
	Failed       = Code{websocket.CloseInternalServerErr, "internal error", "The server failed. Reconnect with `since`, later and later."}
	Idle         = Code{4000, "nothing said for five minutes", "Five minutes without a message in either direction (ping frames are none). Reconnect with `since`, at once or when needed."}
	BadToken     = Code{4001, "no valid token", "The token is missing, malformed, expired or not ours, or did not come within 5 s. Get a new one."}
	WrongUser    = Code{4003, "another user's address", "The token is valid, for another user than the path's."}
	TooMany      = Code{4008, "more than 10 messages in a second", "The client sends too much. Wait before reconnecting."}
	Slow         = Code{4009, "reads too slowly", "The client does not read what it is sent. Reconnect with `since`. If nothing at all can be written any more, the connection ends without a close frame (1006)."}
	TooManyConns = Code{4029, "too many connections of this user", "The user's limit of connections on this replica is reached. Close some."}
	TokenExpired = Code{4401, "the token expired or was revoked", "The token has expired meanwhile, or the API token was revoked. Reconnect with a new one and `since`, or send it as an `auth` message in time."}
	Deleted      = Code{4403, "this account was deleted", "The user was deleted with everything. Do not reconnect."}
)

// Codes lists all of them in the order of their numbers.
func Codes() []Code {
	return []Code{
		GoingAway, Protocol, Binary, NotText, TooBig, Failed,
		Idle, BadToken, WrongUser, TooMany, Slow, TooManyConns, TokenExpired, Deleted,
	}
}

// CodeTable is Codes as the README's markdown table.
func CodeTable() string {
	var b strings.Builder
	b.WriteString("| Code | Text | Meaning, and what a client does |\n|---|---|---|\n")
	for _, c := range Codes() {
		fmt.Fprintf(&b, "| %d | %s | %s |\n", c.Number, c.Reason, c.Meaning)
	}
	return b.String()
}

// Two ends that are not the server's choice and have no frame.
var (
	// lost: the network or the client went away without a word.
	lost = Code{Reason: "lost"}
	// byClient: the client said goodbye.
	byClient = Code{Reason: "client"}
)

// label is the code in metrics.
func (c Code) label() string {
	if c.Number == 0 {
		return c.Reason
	}
	return strconv.Itoa(c.Number)
}
