package deadletter

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"strings"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/event"
	"github.com/taskflow-suite/taskflow/pkg/postgres"
	"github.com/taskflow-suite/taskflow/pkg/sidecar"
	contract "github.com/taskflow-suite/taskflow/proto"
)

// Bounds of the columns, in characters but for the record, which is in bytes.
const (
	maxUser, maxType, maxCorrelation, maxReason = 255, 100, 200, 1000
	maxRecord                                   = 64 << 10
)

// identity is what a letter is about. The note of an attempt and the record on the dead-letter topic have the same, though the
// one comes from an envelope the sidecar has opened and the other from the sealed one.
type identity struct {
	// id is the event's, or made from the CloudEvent's source, type and id, or from the whole record.
	id string
	// event is whether id is an event's.
	event bool
	// sequence is the event's, 0 without one.
	sequence                       int64
	user, eventType, correlationID string
}

// ofDelivery is the identity of what a handler was given. ok is false if nothing names it: only its record will.
func ofDelivery(d sidecar.Delivery) (i identity, ok bool) {
	e, err := d.Envelope()
	if known, is := ofEvent(e, err); is {
		return known, true
	}
	return ofEnvelope(d.Source, d.Type, d.ID, d.Key, d.Data), d.ID != ""
}

// ofRecord is the identity of a record, and what can be told from it alone of why it is a dead letter.
func ofRecord(topic contract.Topic, key string, record []byte) (i identity, f sidecar.Failure) {
	f = sidecar.Failure{Kind: KindUnknown, Reason: "nobody noted why: the handler gave no answer, or the database was away"}
	var envelope map[string]any
	if err := json.Unmarshal(record, &envelope); err != nil {
		f = sidecar.Failure{Kind: KindUnread, Reason: "the record is no CloudEvent in JSON: the sidecar could not read it"}
		return identity{id: hash("record", string(record)), user: text(key, maxUser)}, f
	}
	field := func(name string) string { s, _ := envelope[name].(string); return s }
	data := dataOf(envelope, field)
	e, err := event.Decode(data)
	if known, is := ofEvent(e, err); is {
		return known, f
	}
	if !private(topic) { // whose messages are no events
		f = sidecar.Failure{Kind: errs.Invalid.String(), Reason: "not an event with a UUID for an id"}
		if err != nil {
			f.Reason = errs.Text(err)
		}
	}
	i = ofEnvelope(field("source"), field("type"), field("id"), key, data)
	if field("id") == "" {
		i.id = hash("record", string(record))
	}
	return i, f
}

func ofEvent(e event.Envelope, err error) (identity, bool) {
	if err != nil || !postgres.IsUUID(e.ID) {
		return identity{}, false
	}
	return identity{
		id: strings.ToLower(e.ID), event: true, sequence: e.Sequence, user: text(e.UserID, maxUser), eventType: text(e.Type, maxType),
		correlationID: text(e.CorrelationID, maxCorrelation),
	}, true
}

// ofEnvelope is the identity of a CloudEvent whose data is no event. Data that names a user and a correlation id, as MCP's
// does, is believed: an operator looks for them.
func ofEnvelope(source, eventType, id, key string, data []byte) identity {
	var claims struct {
		UserID        string `json:"user_id"`
		CorrelationID string `json:"correlation_id"`
	}
	if json.Unmarshal(data, &claims) != nil || claims.UserID == "" {
		claims.UserID = key
	}
	return identity{
		id: hash("cloudevent", source, eventType, id), user: text(claims.UserID, maxUser), eventType: text(eventType, maxType),
		correlationID: text(claims.CorrelationID, maxCorrelation),
	}
}

// dataOf is the data the sidecar would hand over (dapr pkg/runtime/pubsub, GRPCEnvelopeFromSubscriptionMessage).
func dataOf(envelope map[string]any, field func(string) string) []byte {
	if encoded := field("data_base64"); encoded != "" {
		data, err := base64.StdEncoding.DecodeString(encoded)
		if err != nil {
			return nil
		}
		return data
	}
	kind, _, _ := strings.Cut(strings.ToLower(field("datacontenttype")), ";")
	switch kind = strings.TrimSpace(kind); {
	case strings.HasSuffix(kind, "json") && envelope["data"] != nil:
		data, err := json.Marshal(envelope["data"])
		if err != nil {
			return nil
		}
		return data
	case strings.HasPrefix(kind, "text/"):
		return []byte(field("data"))
	default:
		return nil
	}
}

// hash is a UUID of version 8 (RFC 9562, 5.8) from a SHA-256.
func hash(parts ...string) string {
	var all bytes.Buffer
	for _, p := range parts {
		sum := sha256.Sum256([]byte(p))
		all.Write(sum[:])
	}
	return uuid.NewHash(sha256.New(), uuid.Nil, all.Bytes(), 8).String()
}

// text is s as Postgres can take it, cut to a number of characters.
func text(s string, most int) string {
	if !postgres.IsText(s) {
		s = strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
	}
	if utf8.RuneCountInString(s) > most {
		s = string([]rune(s)[:most])
	}
	return s
}
