package client

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

// Frame is one message of the gateway.
type Frame struct {
	Type string `json:"type"`
	Data struct {
		EventID string `json:"event_id"`
		TaskID  string `json:"task_id"`
		// SeriesID is there instead of TaskID in the frames of series.
		SeriesID string   `json:"series_id"`
		Version  int      `json:"version"`
		Changed  []string `json:"changed"`
		// MinutesBefore, Absolute, Late and LateSeconds are of reminder.fired.
		MinutesBefore int   `json:"minutes_before"`
		Absolute      bool  `json:"absolute"`
		Late          bool  `json:"late"`
		LateSeconds   int   `json:"late_seconds"`
		Sequence      int64 `json:"sequence"` // of hello and resync
	} `json:"data"`
	Timestamp time.Time `json:"timestamp"`
	Sequence  int64     `json:"sequence"`
	// Received is when this client had read it.
	Received time.Time `json:"-"`
}

// Socket is one connection to the gateway.
type Socket struct{ conn *websocket.Conn }

// Read returns the next frame as it came; the error ends the socket.
func (s *Socket) Read() ([]byte, error) {
	_, raw, err := s.conn.ReadMessage()
	return raw, err
}

// Close cuts the connection without a word, as a closed laptop does. It may be called while Read waits.
func (s *Socket) Close() error { return s.conn.NetConn().Close() }

// Connect opens one socket that delivers what comes after since; a negative since asks for new events only.
func (c *Client) Connect(ctx context.Context, since int64) (*Socket, error) {
	url := c.WS + "/ws/user/" + c.UserID + "/tasks"
	if since >= 0 {
		url = fmt.Sprintf("%s?since=%d", url, since)
	}
	dialer := websocket.Dialer{HandshakeTimeout: 10 * time.Second, ReadBufferSize: 1024, WriteBufferSize: 512}
	conn, res, err := dialer.DialContext(ctx, url, http.Header{"Authorization": {"Bearer " + c.Token}})
	if res != nil {
		defer res.Body.Close()
	}
	if err != nil {
		if res != nil {
			return nil, fmt.Errorf("connect: status %d: %w", res.StatusCode, err)
		}
		return nil, fmt.Errorf("connect: %w", err)
	}
	return &Socket{conn}, nil
}

// Follower follows one user's events over as many connections as it takes, resuming each time where it was.
type Follower struct {
	client *Client
	see    func(Frame)

	mu       sync.Mutex
	conn     *Socket
	last     int64
	broken   []string
	connects int
	live     chan struct{}
	once     sync.Once
}

// Follow makes a Follower that has seen everything up to since and calls see with every event frame, in order, from
// one goroutine.
func (c *Client) Follow(since int64, see func(Frame)) *Follower {
	return &Follower{client: c, see: see, last: since, live: make(chan struct{})}
}

// Live is closed when the first connection has said hello.
func (f *Follower) Live() <-chan struct{} { return f.live }

// Last is the sequence of the last event seen.
func (f *Follower) Last() int64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.last
}

// Connects is how often the follower connected.
func (f *Follower) Connects() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.connects
}

// Broken lists every broken promise: a gap, a repetition, a resync. It is empty if the gateway kept its word.
func (f *Follower) Broken() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]string(nil), f.broken...)
}

// Drop cuts the current connection, as a bad network does; the follower connects again and resumes.
func (f *Follower) Drop() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.conn != nil {
		_ = f.conn.Close()
	}
}

// Run follows until ctx ends.
func (f *Follower) Run(ctx context.Context) error {
	stop := context.AfterFunc(ctx, f.Drop)
	defer stop()
	wait := 50 * time.Millisecond
	for ctx.Err() == nil {
		if f.read(ctx) {
			wait = 50 * time.Millisecond
		}
		select {
		case <-ctx.Done():
		case <-time.After(time.Duration(rand.Int64N(int64(wait)))): //nolint:gosec // G404: jitter, not a secret
			wait = min(2*wait, 2*time.Second)
		}
	}
	return nil
}

// read opens one connection and reads it to its end. It reports whether the connection came about.
func (f *Follower) read(ctx context.Context) bool {
	conn, err := f.client.Connect(ctx, f.Last())
	if err != nil {
		return false
	}
	defer conn.Close()
	f.mu.Lock()
	f.conn = conn
	f.connects++
	f.mu.Unlock()
	if ctx.Err() != nil {
		return true
	}
	for {
		raw, err := conn.Read()
		if err != nil {
			return true
		}
		f.take(raw)
	}
}

func (f *Follower) take(raw []byte) {
	frame := Frame{Received: time.Now()}
	if err := json.Unmarshal(raw, &frame); err != nil {
		f.report("unreadable frame: %s", raw)
		return
	}
	switch {
	case frame.Type == "hello":
		f.once.Do(func() { close(f.live) })
		return
	case frame.Type == "resync":
		f.report("resync to %d after %d", frame.Data.Sequence, f.Last())
		return
	case frame.Sequence == 0:
		return
	}
	f.mu.Lock()
	last := f.last
	f.last = max(f.last, frame.Sequence)
	f.mu.Unlock()
	if frame.Sequence != last+1 {
		f.report("%d after %d", frame.Sequence, last)
	}
	if f.see != nil {
		f.see(frame)
	}
}

func (f *Follower) report(format string, args ...any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.broken) < 100 {
		f.broken = append(f.broken, f.client.UserID+": "+fmt.Sprintf(format, args...))
	}
}
