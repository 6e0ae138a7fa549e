package abuse_test

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/taskflow-suite/taskflow/services/internal/storm"
)

const (
	badSockets = 10_000
	atOnce     = 400
)

// badSocket is something nobody should do with a socket, and how it may end: a status instead of the upgrade, or the code
// of a close frame. 0 is a connection that ends without a word, where there is nobody to say it to.
type badSocket struct {
	name   string
	path   string
	header http.Header
	// then is said after the upgrade.
	then func(c *wire) error
	ends []int
}

// badKinds are those of one user: each has places for a few sockets only.
func (w *world) badKinds(user string) []badSocket {
	window := "/ws/user/" + user + "/tasks"
	good := http.Header{"Authorization": {"Bearer " + w.issuer.token(user)}}
	say := func(bytes ...[]byte) func(*wire) error {
		return func(c *wire) error {
			for _, b := range bytes {
				if _, err := c.Write(b); err != nil {
					return err
				}
			}
			return nil
		}
	}
	text := func(s string) []byte { return frame(opText, []byte(s)) }
	ping := text(`{"type":"ping"}`)
	var flood [][]byte
	for range 40 {
		flood = append(flood, ping)
	}
	return []badSocket{
		{"a wrong token", window + "?token=x.y.z", nil, nil, []int{4001}},
		{"a forged token", window + "?token=" + w.issuer.by("ed", map[string]any{"alg": "none"}, claims(user, nil)), nil, nil, []int{4001}},
		{"another user", "/ws/user/bob/tasks", good, nil, []int{4003}},
		{"a user that is none", "/ws/user/%2e%2e%2fada/tasks", good, nil, []int{4003, 400, 404}},
		{"another origin", window, http.Header{"Origin": {"https://evil.example.org"}}, nil, []int{403}},
		{"an origin that begins so", window, http.Header{"Origin": {w.URL("origin") + ".evil.example.org"}}, nil, []int{403}},
		{"no origin at all", window, http.Header{"Origin": {"null"}}, nil, []int{403}},
		{"no token in the first message", window, nil, say(text(`{"type":"auth"}`)), []int{4001, 1007}},
		{"a first message that is another", window, nil, say(ping), []int{4001}},
		{"a since that is none", window + "?since=-1", good, nil, []int{400}},
		{"a since of all digits", window + "?since=" + strings.Repeat("9", 4000), good, nil, []int{400, 431}},
		{"a since beyond the end", window + "?since=9223372036854775807", good, say(frame(opClose, []byte{3, 232})), []int{1000, 1005}},
		{"bytes that are no frames", window, good, say([]byte("GET / HTTP/1.1\r\n\r\n\r\n\r\n\r\n\r\n")), []int{1002, 0}},
		{"frames without a mask", window, good, say([]byte{opText, 2, '{', '}'}), []int{1002}},
		{"a reserved bit", window, good, say([]byte{0xF1, 0x80, 0, 0, 0, 0}), []int{1002}},
		{"a frame type that is none", window, good, say([]byte{0x83, 0x80, 0, 0, 0, 0}), []int{1002}},
		{"a frame of exabytes", window, good, say([]byte{opText, 0xFF, 0x7F, 255, 255, 255, 255, 255, 255, 255, 0, 0, 0, 0}), []int{1009, 1002}},
		{"a frame of negative length", window, good, say([]byte{opText, 0xFF, 255, 255, 255, 255, 255, 255, 255, 255, 0, 0, 0, 0}), []int{1002, 1009, 0}},
		{"a message over 4 KB", window, good, say(frame(opText, make([]byte, 5000))), []int{1009}},
		{"a message of a megabyte", window, good, say(frame(opText, make([]byte, 1<<20))), []int{1009, 0}},
		{"a ping of more than 125 bytes", window, good, say(frame(0x89, make([]byte, 200))), []int{1002}},
		{"a message in pieces that never ends", window, good, say(frame(0x01, make([]byte, 3000)), frame(0x00, make([]byte, 3000))), []int{1009}},
		{"binary", window, good, say(frame(opBinary, []byte("{}"))), []int{1003}},
		{"no UTF-8", window, good, say(frame(opText, []byte{0xff, 0xfe})), []int{1007}},
		{"no JSON", window, good, say(text("hello")), []int{1007}},
		{"JSON nested deep", window, good, say(text(strings.Repeat("[", 4000))), []int{1007}},
		{"too many messages", window, good, say(flood...), []int{4008, 0}},
		{"a close that is none", window, good, say(frame(opClose, []byte{0})), []int{1002, 1005}},
		{"a cut without a word", window, good, func(c *wire) error { return c.Close() }, []int{0}},
	}
}

func (w *world) badSockets(t *testing.T) {
	alice := storm.Open(t, w.user("alice", "task-api"), w.user("alice", "task-api"))
	load := storm.Create([]*storm.Person{alice}, 5)
	var mu sync.Mutex
	wrong, ends := map[string]int{}, map[string]int{}
	var all sync.WaitGroup
	turns := make(chan int)
	kinds := len(w.badKinds("nobody"))
	for i := range atOnce {
		mine := w.badKinds(fmt.Sprintf("bad-%d", i))
		all.Go(func() {
			for n := range turns {
				k := mine[n%len(mine)]
				end, err := w.try(k)
				mu.Lock()
				switch {
				case end == http.StatusServiceUnavailable && err == nil: // no room for one more that has shown no token
					ends["no room"]++
				case !slices.Contains(k.ends, end):
					wrong[fmt.Sprintf("%s ends with %d (%v), expected one of %v", k.name, end, err, k.ends)]++
				default:
					ends[k.name]++
				}
				mu.Unlock()
			}
		})
	}
	began := time.Now()
	for n := range badSockets {
		turns <- n
	}
	close(turns)
	all.Wait()
	t.Logf("%d bad sockets in %s", badSockets, time.Since(began).Round(100*time.Millisecond))
	for what, times := range wrong {
		t.Errorf("%d times: %s", times, what)
	}
	if len(ends) < kinds {
		t.Errorf("only %v were tried", slices.Sorted(maps.Keys(ends)))
	}
	if err := load.Stop(); err != nil {
		t.Error(err)
	}
	storm.Check(t, []*storm.Person{alice}, 30*time.Second)
}

// try does a bad thing once and returns how it ended.
func (w *world) try(k badSocket) (int, error) {
	c, err := w.dial("notifier")
	if err != nil {
		return -1, err
	}
	defer c.Close()
	status, err := c.upgrade(k.path, k.header)
	if err != nil {
		return -1, err
	}
	if status != http.StatusSwitchingProtocols {
		return status, nil
	}
	if k.then != nil {
		if err := k.then(c); err != nil && !gone(err) {
			return -1, err
		}
	}
	code, err := c.ending()
	if gone(err) {
		return 0, nil
	}
	if err != nil {
		return -1, err
	}
	return code, nil
}

// gone reports whether the other side has ended the connection, or this one has.
func gone(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) || errors.Is(err, net.ErrClosed)
}
