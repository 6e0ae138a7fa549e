package postgres

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash"

	"gorm.io/gorm"

	contract "github.com/taskflow-suite/taskflow/proto"
)

// Chained is an event with its place in the chain of its user's events of a topic.
type Chained struct {
	Stored
	// Hash is Link of the event before. The database computes it when the event is written.
	Hash []byte
}

// Link is the hash of an event that follows one with the hash before (empty for the first of all): the SHA-256 of before, the
// sequence as eight bytes, the most significant first, and the event's Digest. It is what the database keeps with every event.
func (s Stored) Link(before []byte) []byte {
	digest := s.Digest()
	sum := sha256.New()
	sum.Write(before)
	_ = binary.Write(sum, binary.BigEndian, s.Sequence)
	sum.Write(digest[:])
	return sum.Sum(nil)
}

// Digest is the SHA-256 of what an event says but for its sequence. First comes a line of numbers with a space between two:
// id, version, microseconds since 1970, and the lengths in bytes of user id, topic, type, aggregate id, correlation id,
// causation id and traceparent. Then come those texts, and then the data as it was published, to the end.
func (s Stored) Digest() [sha256.Size]byte {
	texts := []string{s.UserID, string(s.Topic), s.Type, s.AggregateID, s.CorrelationID, s.CausationID, s.Trace}
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %d %d", s.ID, s.Version, s.Timestamp.UnixMicro())
	for _, t := range texts {
		fmt.Fprintf(&b, " %d", len(t))
	}
	b.WriteByte('\n')
	for _, t := range texts {
		b.WriteString(t)
	}
	b.Write(s.Data)
	return sha256.Sum256(b.Bytes())
}

// Head is the end of the chain of a user's events of a topic, and the tombstone of those that were erased before.
type Head struct {
	UserID   string
	Topic    contract.Topic
	Sequence int64
	Hash     []byte
	// ErasedThrough is the sequence of the last event that was erased, 0 if none was, and ErasedHash its hash; empty if
	// it was erased before there were hashes.
	ErasedThrough int64
	ErasedHash    []byte
}

// Chain selects the chains to verify, and says what is told meanwhile. The zero value of a field does not restrict, or tells nobody.
type Chain struct {
	UserID string
	Topic  contract.Topic
	// Saved are heads of an earlier verification: what they lead to must still be there, or erased.
	Saved []Head
	// Seen is called after each portion with the number of events so far.
	Seen func(events int)
	// Head is called with the head of every chain, in the order of users and topics. Its error ends the verification.
	Head func(Head) error
}

// Flaw is the first event of a chain that is not what was written.
type Flaw struct {
	UserID string
	Topic  contract.Topic
	// Sequence is where the chain breaks.
	Sequence int64
	// EventID is empty if there is no event.
	EventID string
	What    string
}

func (f Flaw) String() string {
	id := f.EventID
	if id == "" {
		id = "no event"
	}
	return fmt.Sprintf("user %q, %s, sequence %d (%s): %s", f.UserID, f.Topic, f.Sequence, id, f.What)
}

// Verified is what a verification of chains found.
type Verified struct {
	// Chains and Events were looked at; Erased chains begin behind a tombstone.
	Chains, Events, Erased int
	// Flaws has the first flaw of each broken chain, 1000 at most.
	Flaws []Flaw
	// Broken counts the broken chains.
	Broken int
	// Digest stands for all heads together: it is the same as long as nothing is written, whatever the machine.
	Digest string
}

const maxFlaws = 1000

// VerifyChains recomputes the hashes of the selected events and compares them with the log and with where each chain ends. It reads portion
// by portion, each as of one moment, so that it disturbs nobody and a long one holds nothing back.
func (db *DB) VerifyChains(ctx context.Context, c Chain) (Verified, error) {
	v := &chainVerifier{Chain: c, saved: map[chainKey]Head{}, digest: sha256.New()}
	for _, h := range c.Saved {
		if (c.UserID == "" || c.UserID == h.UserID) && (c.Topic == "" || c.Topic == h.Topic) {
			v.saved[chainKey{h.UserID, string(h.Topic)}] = h
		}
	}
	for more := true; more; {
		if err := db.Snapshot(ctx, func(tx *Tx) (err error) {
			more, err = v.portion(tx)
			return err
		}); err != nil {
			return v.Verified, err
		}
	}
	for key, h := range v.saved {
		v.flaw(key, h.Sequence, "", "the whole chain is missing")
	}
	v.Digest = hex.EncodeToString(v.digest.Sum(nil))
	return v.Verified, nil
}

type chainKey struct{ user, topic string }

// headRow is a row of sequences with what the chain needs.
type headRow struct {
	UserID        string `gorm:"primaryKey"`
	Topic         string `gorm:"primaryKey"`
	Value         int64
	Hash          []byte
	ErasedThrough int64
	ErasedHash    []byte
}

func (headRow) TableName() string { return "sequences" }

func (r headRow) key() chainKey { return chainKey{r.UserID, r.Topic} }

func (r headRow) head() Head {
	return Head{r.UserID, contract.Topic(r.Topic), r.Value, r.Hash, r.ErasedThrough, r.ErasedHash}
}

// chainRow is a row of events with its hash.
type chainRow struct {
	Event eventRow `gorm:"embedded"`
	Hash  []byte   `gorm:"->"`
}

func (chainRow) TableName() string { return "events" }

func (r chainRow) chained() Chained { return Chained{r.Event.stored(), r.Hash} }

func (r chainRow) key() chainKey { return chainKey{r.Event.UserID, r.Event.Topic} }

type chainVerifier struct {
	Chain
	Verified
	saved  map[chainKey]Head
	digest hash.Hash
	last   chainKey
}

func (v *chainVerifier) flaw(at chainKey, sequence int64, id, what string, args ...any) {
	v.Broken++
	if len(v.Flaws) < maxFlaws {
		v.Flaws = append(v.Flaws, Flaw{at.user, contract.Topic(at.topic), sequence, id, fmt.Sprintf(what, args...)})
	}
}

// restrict narrows a query to the selected chains.
func (v *chainVerifier) restrict(query *gorm.DB) *gorm.DB {
	if v.UserID != "" {
		query = query.Where("user_id = ?", v.UserID)
	}
	if v.Topic != "" {
		query = query.Where("topic = ?", v.Topic)
	}
	return query
}

// portion verifies the next chains as the transaction sees them, and reports whether there may be more.
func (v *chainVerifier) portion(tx *Tx) (more bool, err error) {
	var heads []headRow
	err = v.restrict(tx.Where("(user_id, topic) > (?, ?)", v.last.user, v.last.topic)).
		Order("user_id, topic").Limit(portion).Find(&heads).Error
	if err != nil {
		return false, err
	}
	more = len(heads) == portion
	events := &chainWalk{tx: tx, v: v, last: chainRow{Event: eventRow{UserID: v.last.user, Topic: v.last.topic, Sequence: 1<<63 - 1}}}
	for _, h := range heads {
		if err := events.foreign(h.key()); err != nil {
			return false, err
		}
		if err := v.verify(tx, events, h); err != nil {
			return false, err
		}
		v.last = h.key()
	}
	if more {
		return true, nil
	}
	// Behind the last chain nobody knows of anything.
	return false, events.foreign(chainKey{})
}

// verify follows one chain to its head.
func (v *chainVerifier) verify(tx *Tx, events *chainWalk, h headRow) error {
	v.Chains++
	at := h.key()
	saved, compare := v.saved[at]
	delete(v.saved, at)
	broken := false
	flaw := func(sequence int64, id, what string, args ...any) {
		if !broken {
			v.flaw(at, sequence, id, what, args...)
		}
		broken = true
	}
	if h.ErasedThrough > 0 {
		v.Erased++
		explained, err := erasedWithUser(tx, h.UserID)
		if err != nil {
			return err
		}
		if !explained {
			flaw(h.ErasedThrough, "", "events up to here are missing, and the log does not tell that the user was deleted")
		}
	}
	before, sequence := h.ErasedHash, h.ErasedThrough
	if compare && saved.Sequence == sequence && len(before) > 0 && !bytes.Equal(saved.Hash, before) {
		flaw(sequence, "", "it was another event when the heads were saved")
	}
	for {
		r, err := events.peek()
		if err != nil {
			return err
		}
		if r == nil || r.key() != at {
			break
		}
		e := r.chained()
		events.next()
		switch expected := sequence + 1; {
		case e.Sequence > expected:
			flaw(expected, "", "the event is missing")
		case e.Sequence < expected:
			flaw(e.Sequence, e.ID, "the event should have been erased with those before it")
		case e.Sequence > h.Value:
			flaw(e.Sequence, e.ID, "the event was inserted: the chain ends at %d", h.Value)
		case !bytes.Equal(e.Hash, e.Link(before)):
			what := "the event was changed"
			if e.Sequence > h.ErasedThrough+1 {
				what += fmt.Sprintf(", or %d was changed together with its hash", e.Sequence-1)
			}
			flaw(e.Sequence, e.ID, "%s", what)
		case compare && saved.Sequence == e.Sequence && !bytes.Equal(saved.Hash, e.Hash):
			flaw(e.Sequence, e.ID, "it was another event when the heads were saved: this one, or one before it, was changed together with all hashes")
		}
		before, sequence = e.Hash, e.Sequence
	}
	switch {
	case sequence < h.Value:
		flaw(sequence+1, "", "the event is missing, and with it all to %d", h.Value)
	case !bytes.Equal(before, h.Hash):
		flaw(sequence, "", "the last event was changed together with its hash, or the head was")
	case compare && saved.Sequence > h.Value:
		flaw(h.Value+1, "", "the event is missing: the chain reached to %d when the heads were saved", saved.Sequence)
	}
	fmt.Fprintf(v.digest, "%q %q %d %x\n", h.UserID, h.Topic, h.Value, h.Hash)
	if v.Head == nil {
		return nil
	}
	return v.Head(h.head())
}

// erasedWithUser reports whether the log tells why a user's events were erased: the first thing it knows afterwards is that the user was deleted.
func erasedWithUser(tx *Tx, userID string) (bool, error) {
	var types []string
	err := tx.Model(&eventRow{}).
		Where("user_id = ? AND topic = ?", userID, contract.Users).
		Where("sequence = (?)", tx.Model(&headRow{}).Select("erased_through + 1").Where("user_id = ? AND topic = ?", userID, contract.Users)).
		Pluck("type", &types).Error
	return len(types) == 1 && types[0] == contract.UserDeleted.Name, err
}

// chainWalk reads events in the order of chains.
type chainWalk struct {
	tx   *Tx
	v    *chainVerifier
	rows []chainRow
	last chainRow
	done bool
}

// peek is the next event, nil behind the last.
func (w *chainWalk) peek() (*chainRow, error) {
	if len(w.rows) == 0 && !w.done {
		err := w.v.restrict(w.tx.Where("(user_id, topic, sequence) > (?, ?, ?)", w.last.Event.UserID, w.last.Event.Topic, w.last.Event.Sequence)).
			Order("user_id, topic, sequence").Limit(portion).Find(&w.rows).Error
		if err != nil {
			return nil, err
		}
		if len(w.rows) < portion {
			w.done = true
		}
		if len(w.rows) > 0 {
			w.last = w.rows[len(w.rows)-1]
		}
	}
	if len(w.rows) == 0 {
		return nil, nil //nolint:nilnil // documented: there is none
	}
	return &w.rows[0], nil
}

func (w *chainWalk) next() {
	w.rows = w.rows[1:]
	w.v.Events++
	if w.v.Seen != nil && len(w.rows) == 0 {
		w.v.Seen(w.v.Events)
	}
}

// foreign passes over events before a chain that belong to none. The zero key is behind all chains.
func (w *chainWalk) foreign(until chainKey) error {
	var last chainKey
	for {
		r, err := w.peek()
		if err != nil || r == nil {
			return err
		}
		if at := r.key(); until != (chainKey{}) && cmp.Or(cmp.Compare(at.user, until.user), cmp.Compare(at.topic, until.topic)) >= 0 {
			return nil
		}
		if r.key() != last {
			last = r.key()
			w.v.flaw(last, r.Event.Sequence, r.Event.ID, "the event was inserted: nothing is known of its chain")
		}
		w.next()
	}
}
