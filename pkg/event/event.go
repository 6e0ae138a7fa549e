// Package event is what happened, typed: how an event is made, how it looks on the wire, and how it is taken apart
// again and handed to the right function.
//
// It owns the envelope and the routing. It knows no broker, no sidecar and no database: those implement Bus and call
// Router. It knows no domain: payloads are the messages named in proto/events.go.
package event

import (
	"bytes"
	"encoding/json"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/taskflow-suite/taskflow/pkg/errs"
	contract "github.com/taskflow-suite/taskflow/proto"
)

// Draft is an event that has happened to one aggregate but has not been written yet: whoever writes it gives it the
// user's next sequence. Make one with New.
type Draft struct {
	Kind        contract.Kind
	UserID      string
	AggregateID string
	// Version is the aggregate's version after the change.
	Version int
	// At is when it happened, in UTC and whole milliseconds.
	At      time.Time
	Payload proto.Message
}

// New drafts an event that happened to an aggregate of a user at a time. A payload of another event's type does not
// compile.
func New[P proto.Message](t contract.Type[P], at time.Time, userID, aggregateID string, version int, payload P) Draft {
	return Draft{
		Kind: t.Kind(), UserID: userID, AggregateID: aggregateID, Version: version,
		At: at.UTC().Truncate(time.Millisecond), Payload: payload,
	}
}

// Envelope is an event as it is stored and as it travels, in the CloudEvent's data. Its JSON is the contract of every
// topic.
type Envelope struct {
	// ID is a UUIDv7, also the CloudEvent's id; consumers recognise a repeated delivery by it.
	ID          string `json:"event_id"`
	Type        string `json:"event_type"`
	UserID      string `json:"user_id"`
	Timestamp   Time   `json:"timestamp"`
	AggregateID string `json:"aggregate_id"`
	Version     int    `json:"version"`
	// Sequence counts the user's events on the topic from 1 without a gap.
	Sequence      int64           `json:"sequence"`
	CorrelationID string          `json:"correlation_id,omitempty"`
	CausationID   string          `json:"causation_id,omitempty"`
	Data          json.RawMessage `json:"data"`
	// Trace is the W3C traceparent of what caused the event, empty if there was none or nobody looked. It travels beside the
	// envelope (Message.Trace).
	Trace string `json:"-"`
}

// Time is an instant as it travels: RFC 3339 in UTC with milliseconds, always three digits.
type Time struct{ time.Time }

const timeFormat = "2006-01-02T15:04:05.000Z"

// MarshalJSON writes the instant in UTC.
func (t Time) MarshalJSON() ([]byte, error) {
	return []byte(`"` + t.UTC().Format(timeFormat) + `"`), nil
}

// NewID makes an event id (UUIDv7, RFC 9562).
func NewID() string { return uuid.Must(uuid.NewV7()).String() }

var (
	// Field names as in the .proto files, as other languages' consumers expect them.
	toJSON   = protojson.MarshalOptions{UseProtoNames: true}
	fromJSON = protojson.UnmarshalOptions{DiscardUnknown: true}
)

// Marshal is a payload's JSON: snake_case protojson, compact.
func Marshal(payload proto.Message) (json.RawMessage, error) {
	raw, err := toJSON.Marshal(payload)
	if err != nil {
		return nil, errs.Because(err, errs.Invalid, "the event's payload cannot be written as JSON")
	}
	// protojson puts random spaces between tokens so that nobody compares its bytes; the log keeps none.
	var out bytes.Buffer
	if err := json.Compact(&out, raw); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// Unmarshal reads data into a payload. Fields the payload does not know are passed over, so that a newer publisher may
// add some; anything else that does not fit is errs.Invalid.
func Unmarshal(data json.RawMessage, payload proto.Message) error {
	if err := fromJSON.Unmarshal(data, payload); err != nil {
		return errs.Because(err, errs.Invalid, "the event's data does not match its type")
	}
	return nil
}
