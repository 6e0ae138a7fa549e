package ws

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/gorilla/websocket"

	"github.com/taskflow-suite/taskflow/pkg/event"
	contract "github.com/taskflow-suite/taskflow/proto"
)

// The types of frames that are not named after an event.
const (
	typeHello  = "hello"
	typeResync = "resync"
	typePong   = "pong"
	typeError  = "error"
)

// frame is a JSON text message for clients.
type frame struct {
	Type      string     `json:"type"`
	Data      any        `json:"data,omitempty"`
	Timestamp event.Time `json:"timestamp"`
	Sequence  int64      `json:"sequence,omitempty"`
}

// told is an event's frame data: which task or series, and the names of what changed. What it says is not in it; a client
// that wants to know asks the API, where it is asked who it is.
type told struct {
	EventID  string   `json:"event_id"`
	TaskID   string   `json:"task_id,omitempty"`
	SeriesID string   `json:"series_id,omitempty"`
	Version  int      `json:"version"`
	Changed  []string `json:"changed,omitempty"`
	*rang
}

// rang is which reminder of the task fired, and how late.
type rang struct {
	MinutesBefore int  `json:"minutes_before"`
	Absolute      bool `json:"absolute"`
	Late          bool `json:"late"`
	LateSeconds   int  `json:"late_seconds"`
}

// problem is the data of an error frame.
type problem struct {
	Detail string `json:"detail"`
}

// The frames that every connection writes are put together by hand: encoding/json would make each connection's goroutines
// grow a stack of twice the size, which they would keep.

// at is a hello or resync frame.
func at(kind string, sequence int64) []byte {
	return stamped(kind, `,"data":{"sequence":`+strconv.FormatInt(sequence, 10)+`}`)
}

// pong is the answer to a ping message.
func pong() []byte { return stamped(typePong, "") }

// expiring is the answer to an auth message.
func expiring(at time.Time) []byte {
	return stamped(typeAuth, `,"data":{"expires":"`+at.UTC().Format(timeFormat)+`"}`)
}

// stamped is a frame of now.
func stamped(kind, data string) []byte {
	return []byte(`{"type":"` + kind + `"` + data + `,"timestamp":"` + time.Now().UTC().Format(timeFormat) + `"}`)
}

// timeFormat is event.Time's.
const timeFormat = "2006-01-02T15:04:05.000Z"

// Frame is an encoded event on its way to one or more connections.
type Frame struct {
	kind string
	at   time.Time
	text []byte
	// shared is the text as it goes over the wire, made once for all connections of the user.
	shared *websocket.PreparedMessage
	// origin is nil if nobody traces the event.
	origin *origin
}

// seriesEvents is how the types of events of a series begin; those of newer publishers do too.
const seriesEvents = "series."

// Encode makes an event's frame; it is the hub's Encode. Of the payload it reads only the names of changed fields and which
// reminder fired, and leaves them out if it cannot.
func Encode(e event.Envelope, shared bool) *Frame {
	data := told{EventID: e.ID, TaskID: e.AggregateID, Version: e.Version}
	f := frame{Type: e.Type, Timestamp: e.Timestamp, Sequence: e.Sequence}
	switch {
	case e.Type == contract.TaskUpdated.Name:
		data.Changed = changed(e.Data)
	case e.Type == contract.ReminderFired.Name:
		data.rang = fired(e.Data)
	case strings.HasPrefix(e.Type, seriesEvents):
		data.TaskID, data.SeriesID, data.Changed = "", e.AggregateID, changed(e.Data)
	case e.Type == contract.UserUpdated.Name:
		// It is of another topic, whose sequence would only be mistaken for the tasks'.
		f.Sequence = 0
		data.TaskID, data.Changed = "", changed(e.Data)
	}
	f.Data = data
	out := &Frame{kind: e.Type, at: e.Timestamp.Time, text: f.encode(), origin: originOf(e)}
	if shared {
		// It fails for a message type that cannot be framed; text can.
		out.shared, _ = websocket.NewPreparedMessage(websocket.TextMessage, out.text)
	}
	return out
}

func changed(data json.RawMessage) []string {
	var payload struct {
		Changed []string `json:"changed"`
	}
	if json.Unmarshal(data, &payload) != nil {
		return nil
	}
	return payload.Changed
}

func fired(data json.RawMessage) *rang {
	var payload rang
	if json.Unmarshal(data, &payload) != nil {
		return nil
	}
	return &payload
}

// encode is the frame's JSON. Nothing a frame is made of can fail to encode.
func (f frame) encode() []byte {
	text, err := json.Marshal(f)
	if err != nil {
		panic(err)
	}
	return text
}
