package abuse_test

import (
	"bufio"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// wire is a connection to a door on which anything can be said, HTTP or not.
type wire struct {
	net.Conn
	read *bufio.Reader
}

func (w *world) dial(part string) (*wire, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	_, host, _ := strings.Cut(w.URL(part), "//")
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "tcp", host)
	if err != nil {
		return nil, err
	}
	return &wire{conn, bufio.NewReaderSize(conn, 1024)}, conn.SetDeadline(time.Now().Add(30 * time.Second))
}

// upgrade asks for a WebSocket and returns the status of the answer, 101 if it is one now.
func (c *wire) upgrade(path string, header http.Header) (int, error) {
	var request strings.Builder
	fmt.Fprintf(&request, "GET %s HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n", path, c.RemoteAddr())
	for name, values := range header {
		for _, v := range values {
			fmt.Fprintf(&request, "%s: %s\r\n", name, v)
		}
	}
	request.WriteString("\r\n")
	if _, err := io.WriteString(c, request.String()); err != nil {
		return 0, err
	}
	res, err := http.ReadResponse(c.read, nil)
	if err != nil {
		return 0, err
	}
	if res.StatusCode != http.StatusSwitchingProtocols {
		_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, 4096))
		_ = res.Body.Close()
		if res.StatusCode == http.StatusServiceUnavailable && res.Header.Get("Retry-After") == "" {
			return res.StatusCode, errors.New("503 without Retry-After")
		}
	}
	return res.StatusCode, nil
}

const (
	opText   = 0x81 // the last, or only, frame of a text
	opBinary = 0x82
	opClose  = 0x88
)

// frame is one of RFC 6455, 5.2, with its payload masked by zeros.
func frame(op byte, payload []byte) []byte {
	head := []byte{op}
	switch n := len(payload); {
	case n < 126:
		head = append(head, 0x80|byte(n))
	case n < 1<<16:
		head = binary.BigEndian.AppendUint16(append(head, 0x80|126), uint16(n))
	default:
		head = binary.BigEndian.AppendUint64(append(head, 0x80|127), uint64(n))
	}
	return append(append(head, 0, 0, 0, 0), payload...)
}

// next reads one frame of the server's: a text, or the code it closes with.
func (c *wire) next() (text []byte, closed int, err error) {
	for {
		var head [2]byte
		if _, err := io.ReadFull(c.read, head[:]); err != nil {
			return nil, 0, err
		}
		n := int(head[1] & 0x7f)
		if n == 126 {
			var more [2]byte
			if _, err := io.ReadFull(c.read, more[:]); err != nil {
				return nil, 0, err
			}
			n = int(binary.BigEndian.Uint16(more[:]))
		}
		payload := make([]byte, n)
		if _, err := io.ReadFull(c.read, payload); err != nil {
			return nil, 0, err
		}
		switch {
		case head[0] == opClose && n >= 2:
			return nil, int(binary.BigEndian.Uint16(payload)), nil
		case head[0] == opClose:
			return nil, 1005, nil
		case head[0] == opText:
			return payload, 0, nil
		}
	}
}

// ending is the code that the server closes with, whatever it says before.
func (c *wire) ending() (int, error) {
	for {
		_, closed, err := c.next()
		if err != nil || closed != 0 {
			return closed, err
		}
	}
}

// socketStatus is what a token gets at the notifier, as the status it would have had as an answer.
func (w *world) socketStatus(t *testing.T, path string, header http.Header, first string) int {
	t.Helper()
	c, err := w.dial("notifier")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	status, err := c.upgrade(path, header)
	if err != nil {
		t.Fatal(err)
	}
	if status != http.StatusSwitchingProtocols {
		if status == http.StatusRequestHeaderFieldsTooLarge || status == http.StatusBadRequest {
			return http.StatusUnauthorized // it was not let in either
		}
		return status
	}
	if first != "" {
		if _, err := c.Write(frame(opText, []byte(first))); err != nil {
			t.Fatal(err)
		}
	}
	text, closed, err := c.next()
	if err == nil && first != "" && closed == 0 { // what answers the message comes before the hello
		text, closed, err = c.next()
	}
	if err != nil {
		t.Fatal(err)
	}
	var hello struct {
		Type string `json:"type"`
	}
	switch {
	case closed == 4001, closed == 1009 && len(first) > 4096: // a token may be too large for a message
		return http.StatusUnauthorized
	case closed == 4003:
		return http.StatusForbidden
	case closed == 0 && json.Unmarshal(text, &hello) == nil && hello.Type == "hello":
		return http.StatusOK
	}
	t.Errorf("a socket is told %q and closed with %d", text, closed)
	return 0
}
