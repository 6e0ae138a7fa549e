// Package deadletter keeps what consumers could not handle, in the table dead_letters: who could not, why, how often it was
// tried, and what became of it.
//
// It has two halves. A consumer's Recorder notes failures as they happen, for the sidecar's dead letters are the records as
// they were and say nothing about why (recorder.go), and turns them into dead letters when they come over the dead-letter
// topics. The Store is for operators: it shows them, sends them again, and sets them aside (store.go, retry.go).
//
// It refuses to repair anything: what is sent again is the log's event with the id it had, which the consumer's inbox knows.
// What the log does not have cannot be sent again by anybody. Of topics that carry what people wrote, it keeps no record.
package deadletter

import (
	"time"

	contract "github.com/taskflow-suite/taskflow/proto"
)

// State is what has become of a letter.
type State string

// The states.
const (
	// Failing: attempts failed, and it is not a dead letter; it may have been handled since, where nobody notes that.
	Failing State = "failing"
	// Dead: nobody handles it any more.
	Dead State = "dead"
	// Retried: it was sent again, and has neither been handled nor died since.
	Retried State = "retried"
	// Handled: the consumer has acted on the event after all.
	Handled State = "handled"
	// Discarded: somebody has looked at it, and nothing is to be done.
	Discarded State = "discarded"
)

// States lists them all.
func States() []State { return []State{Dead, Retried, Failing, Handled, Discarded} }

// The kinds of failure that no attempt tells of.
const (
	// KindUnread: the sidecar could not read the record, and handed it to nobody.
	KindUnread = "unread"
	// KindUnknown: nobody noted why. The handler gave no answer, or the database was away.
	KindUnknown = "unknown"
)

// Letter is something a consumer could not handle.
type Letter struct {
	Consumer string         `json:"consumer"`
	Topic    contract.Topic `json:"topic"`
	// ID is the event's, or a UUID made from what is no event.
	ID    string `json:"id"`
	State State  `json:"state"`
	// EventID is empty if the record held no event.
	EventID       string `json:"event_id,omitempty"`
	EventType     string `json:"event_type,omitempty"`
	UserID        string `json:"user_id,omitempty"`
	CorrelationID string `json:"correlation_id,omitempty"`
	// Reason and Kind are those of the last attempt.
	Reason string `json:"reason"`
	Kind   string `json:"kind"`
	// Attempts are those that failed and were noted; Deaths is how often it came over the dead-letter topic.
	Attempts  int       `json:"attempts"`
	Deaths    int       `json:"deaths"`
	FirstSeen time.Time `json:"first_seen"`
	LastSeen  time.Time `json:"last_seen"`
	// When it died, was sent again, was handled and was discarded, each the last time; nil for never.
	DiedAt      *time.Time `json:"died_at,omitempty"`
	RetriedAt   *time.Time `json:"retried_at,omitempty"`
	HandledAt   *time.Time `json:"handled_at,omitempty"`
	DiscardedAt *time.Time `json:"discarded_at,omitempty"`
	// Place is the partition and offset on the dead-letter topic, "1/42".
	Place string `json:"place,omitempty"`
	// InLog says that the log has the event: it can be sent again.
	InLog bool `json:"in_log"`
	// Record is what came, if the log does not have it and it may be kept.
	Record []byte `json:"-"`
}

// private are the topics whose records hold what people wrote and expire: nobody keeps them, and nobody sends them again.
func private(topic contract.Topic) bool {
	return topic == contract.MCPRequests || topic == contract.MCPReplies
}

// CannotRetry says in words why a letter cannot be sent again; nothing if it can.
func (l Letter) CannotRetry() string {
	switch {
	case private(l.Topic):
		return "a request of " + string(l.Topic) + " expires within minutes: whoever asked has been told"
	case l.EventID == "":
		return "it is no event"
	case !l.InLog:
		return "the log has no such event of that user and topic: it was forged, or its user was forgotten"
	case l.State == Failing:
		return "the sidecar is still trying"
	case l.State == Handled:
		return "the consumer has handled it"
	default:
		return ""
	}
}
