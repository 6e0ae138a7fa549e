// Package record is what a run leaves: what clients asked, what they were told, what they saw, what was broken meanwhile, and
// how everything was in the end, as lines of JSON in the order in which they happened. The checker reads nothing else.
//
// It owns the shapes and the file. It refuses to judge. No line holds a token.
package record

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/taskflow-suite/taskflow/services/e2e/chaos/internal/plan"
)

// Line is one thing that happened. One of its pointers is set.
type Line struct {
	// At is in microseconds since the start of the run, by the monotonic clock of the one process that writes.
	At int64 `json:"at"`

	Run     *Run     `json:"run,omitempty"`
	Request *Request `json:"request,omitempty"`
	Answer  *Answer  `json:"answer,omitempty"`
	Frame   *Frame   `json:"frame,omitempty"`
	Fault   *Fault   `json:"fault,omitempty"`
	Task    *Task    `json:"task,omitempty"`
	Event   *Event   `json:"event,omitempty"`
	Message *Message `json:"message,omitempty"`
	End     *End     `json:"end,omitempty"`
}

// Run is the first line.
type Run struct {
	Seed    uint64        `json:"seed"`
	Length  time.Duration `json:"length"`
	Started time.Time     `json:"started"`
	People  []string      `json:"people"`
	Plan    []plan.Fault  `json:"plan"`
	// LeftOut says why some kinds of faults were not planned.
	LeftOut map[plan.Kind]string `json:"left_out,omitempty"`
}

// Verb is what somebody wants.
type Verb string

// The verbs. Those of one item and those of many are the same; a request of several items is a batch.
const (
	Create   Verb = "create"
	Update   Verb = "update"
	Complete Verb = "complete"
	Reopen   Verb = "reopen"
	Delete   Verb = "delete"
	Restore  Verb = "restore"
	Read     Verb = "read"    // one task
	List     Verb = "list"    // many
	Foreign  Verb = "foreign" // somebody else's task, which nobody may see
)

// Changes reports whether a verb changes anything.
func (v Verb) Changes() bool { return v != Read && v != List && v != Foreign }

// Door is where a request goes.
type Door string

// The doors.
const (
	REST Door = "rest"
	MCP  Door = "mcp"
	Chat Door = "chat"
)

// Request is one try at something. All tries at the same thing have the same ID.
type Request struct {
	ID   int64  `json:"id"`
	Try  int    `json:"try"` // from 1
	User string `json:"user"`
	Door Door   `json:"door"`
	// Key is what makes the tries one: an Idempotency-Key, or the id of a message.
	Key   string `json:"key,omitempty"`
	Items []Item `json:"items"`
}

// Item is one wish.
type Item struct {
	Verb Verb   `json:"verb"`
	Task string `json:"task,omitempty"`
	// Title is unlike every other title that anybody ever sets.
	Title string `json:"title,omitempty"`
	// Base is the version that the change is made from: of any other it must be refused. 0 is any.
	Base int `json:"base,omitempty"`
	// Daily says that the task repeats every day, in UTC, Due is when it is due first, and Rings are its reminders.
	Daily bool        `json:"daily,omitempty"`
	Due   time.Time   `json:"due,omitzero"`
	Rings []time.Time `json:"rings,omitempty"`
}

// Answer is what came of one try.
type Answer struct {
	ID   int64  `json:"id"`
	Try  int    `json:"try"`
	User string `json:"user"`
	// Status is the HTTP status, or 0 if nothing came. What came over MCP or in a chat has 200 if it was an answer.
	Status int `json:"status"`
	// Error is why there is no answer.
	Error string `json:"error,omitempty"`
	// Told is what became of each item, if the answer says so.
	Told []Told `json:"told,omitempty"`
	// Seen are further tasks that the answer showed.
	Seen []Seen `json:"seen,omitempty"`
}

// Told is what became of one item.
type Told struct {
	// Status is the HTTP status of the item alone; 0 if nobody knows what became of it.
	Status int `json:"status"`
	// Seen is how the task is now; of a refusal too, if it shows it.
	Seen Seen `json:"task,omitzero"`
}

// Done reports whether the client was told that it is done.
func (t Told) Done() bool { return t.Status/100 == 2 }

// Unknown reports whether nobody can tell whether it was done.
func (t Told) Unknown() bool { return t.Status == 0 || t.Status >= 500 }

// Seen is a task as somebody saw it.
type Seen struct {
	ID      string `json:"id"`
	Version int    `json:"version"`
	Title   string `json:"title,omitempty"`
}

// Frame is what a window was told, or that it was connected.
type Frame struct {
	User   string `json:"user"`
	Window int    `json:"window"`
	// Connection counts a window's connections, from 1.
	Connection int `json:"connection"`
	// Type is the frame's, or "connected".
	Type     string `json:"type"`
	Sequence int64  `json:"sequence,omitempty"`
	EventID  string `json:"event_id,omitempty"`
	// Subject is the task or the series.
	Subject string `json:"subject,omitempty"`
	Version int    `json:"version,omitempty"`
}

// Connected is the type of a Frame that is none: the window got a connection, and asked for what comes after Sequence.
const Connected = "connected"

// Fault is the beginning or the end of a fault.
type Fault struct {
	plan.Fault
	Over  bool   `json:"over,omitempty"`
	Error string `json:"error,omitempty"`
}

// Task is a task as the API shows it in the end.
type Task struct {
	User       string `json:"user"`
	ID         string `json:"id"`
	Title      string `json:"title"`
	Version    int    `json:"version"`
	Completed  bool   `json:"completed,omitempty"`
	Deleted    bool   `json:"deleted,omitempty"`
	Series     string `json:"series,omitempty"`
	Occurrence string `json:"occurrence,omitempty"`
	Due        string `json:"due,omitempty"`
}

// Event is an event of a user's history, as the API shows it in the end.
type Event struct {
	User     string `json:"user"`
	Topic    string `json:"topic"`
	Sequence int64  `json:"sequence"`
	ID       string `json:"id"`
	Type     string `json:"type"`
	Subject  string `json:"subject"` // aggregate_id
	Version  int    `json:"version"`
	// Time is the event's own.
	Time time.Time `json:"time"`
	// Title is what a creation or change sets, if it does; Ring is what a reminder counts back from.
	Title string    `json:"title,omitempty"`
	Ring  time.Time `json:"ring,omitzero"`
	// Series and Occurrence are the created task's place, if it repeats.
	Series     string `json:"series,omitempty"`
	Occurrence string `json:"occurrence,omitempty"`
}

// Message is one of a conversation, as the API shows it in the end.
type Message struct {
	User         string `json:"user"`
	Conversation string `json:"conversation"`
	ID           string `json:"id"`
	Role         string `json:"role"`
	Text         string `json:"text"`
}

// End is the last line: the state above it is complete.
type End struct {
	Now time.Time `json:"now"`
	// Missing is what could not be read, and why.
	Missing []string `json:"missing,omitempty"`
}

// Writer writes a record. It is safe for concurrent use.
type Writer struct {
	mu    sync.Mutex
	began time.Time
	file  *os.File
	out   *bufio.Writer
	err   error

	holding bool
	held    []Line
}

// Make begins a record at a path. Its clock starts now.
func Make(path string) (*Writer, error) {
	file, err := os.Create(path) //nolint:gosec // G304: the one file this is about
	if err != nil {
		return nil, err
	}
	return &Writer{began: time.Now(), file: file, out: bufio.NewWriterSize(file, 1<<20)}, nil
}

// Elapsed is how far the record's clock has come.
func (w *Writer) Elapsed() time.Duration { return time.Since(w.began) }

// Add writes a line, and when it happened: now. An error is told by Close.
func (w *Writer) Add(l Line) {
	w.mu.Lock()
	defer w.mu.Unlock()
	// Taken under the lock: a line that stands before another did not happen after it.
	l.At = time.Since(w.began).Microseconds()
	if w.holding {
		w.held = append(w.held, l)
		return
	}
	w.write(l)
}

// write writes a line; w.mu is held.
func (w *Writer) write(l Line) {
	raw, err := json.Marshal(l)
	if err == nil {
		_, err = w.out.Write(append(raw, '\n'))
	}
	w.err = errors.Join(w.err, err)
}

// Hold writes what was added so far. What is added from now on waits, so that the file can be looked at, until Release has it
// written or End drops it: it happened after the end.
func (w *Writer) Hold() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.holding = true
	return errors.Join(w.err, w.out.Flush())
}

// Release is the end of Hold.
func (w *Writer) Release() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, l := range w.held {
		w.write(l)
	}
	w.held, w.holding = nil, false
}

// End writes the last lines. What is added later is dropped.
func (w *Writer) End(lines []Line) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.held, w.holding = nil, true
	for _, l := range lines {
		l.At = time.Since(w.began).Microseconds()
		w.write(l)
	}
	return errors.Join(w.err, w.out.Flush())
}

// Close writes what is left.
func (w *Writer) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return errors.Join(w.err, w.out.Flush(), w.file.Close())
}

// longest is the longest line that is read.
const longest = 1 << 20

// Decode reads a whole record.
func Decode(r io.Reader) ([]Line, error) {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, longest)
	var all []Line
	for lines.Scan() {
		var l Line
		if err := json.Unmarshal(lines.Bytes(), &l); err != nil {
			return nil, fmt.Errorf("line %d: %w", len(all)+1, err)
		}
		all = append(all, l)
	}
	return all, lines.Err()
}

// Open reads the record at a path.
func Open(path string) ([]Line, error) {
	file, err := os.Open(path) //nolint:gosec // G304: the one file this is about
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return Decode(file)
}
