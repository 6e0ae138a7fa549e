package ws

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/gorilla/websocket"

	"github.com/taskflow-suite/taskflow/pkg/event"
)

// read takes in what the client says until the connection ends.
func (c *conn) read() {
	defer close(c.silent)
	end := c.safely(c.listen)
	c.finish(end)
	<-c.hung
	if end.Code == lost || end.Code == byClient {
		return // The client has said its last word.
	}
	// The library reads no more after an error, so the rest goes unread past it, until the client closes or the deadline
	// that hangUp has set.
	_, _ = io.Copy(io.Discard, c.socket.NetConn())
}

func (c *conn) listen() ending {
	var messages, controls window
	c.socket.SetReadLimit(messageLimit)
	c.renew()
	c.socket.SetPongHandler(func(string) error {
		c.renew()
		return nil
	})
	answer := c.socket.PingHandler()
	c.socket.SetPingHandler(func(data string) error {
		// A ping frame costs an answer, so it counts; apart from messages, for some clients' libraries send them unasked.
		if !controls.allow(c.clock()) {
			c.finish(ending{Code: TooMany})
			return nil
		}
		c.renew()
		return answer(data)
	})
	// The writer echoes the client's close frame, behind what it is writing.
	c.socket.SetCloseHandler(func(int, string) error { return nil })
	for {
		kind, raw, err := c.socket.ReadMessage()
		if err != nil {
			return readEnd(err)
		}
		c.mu.Lock()
		over := c.ending != nil || c.hanging
		c.mu.Unlock()
		if over {
			continue // Read on, or the client's own close frame would not be seen.
		}
		c.renew()
		c.said.Store(int64(c.clock()))
		if !messages.allow(c.clock()) {
			c.finish(ending{Code: TooMany})
			continue
		}
		if kind != websocket.TextMessage {
			c.finish(ending{Code: Binary})
			continue
		}
		if end, ok := c.hear(raw); !ok {
			c.finish(end)
		}
	}
}

// hear acts on one message. It reports whether the connection may go on, and otherwise how it ends.
func (c *conn) hear(raw []byte) (ending, bool) {
	m, err := decode(raw)
	if err != nil {
		return ending{Code: NotText, cause: err}, false
	}
	if m.Type == typeAuth {
		return c.hearToken(m.Token)
	}
	c.mu.Lock()
	known := !c.expires.IsZero()
	c.mu.Unlock()
	switch {
	case !known:
		return ending{Code: BadToken, cause: errors.New("the first message is not auth")}, false
	case m.Type == typePing:
		c.reply(typePong, pong())
	default:
		detail := fmt.Sprintf("there is no message of type %q; there are auth and ping", cut(m.Type, 40))
		c.reply(typeError, frame{Type: typeError, Data: problem{detail}, Timestamp: event.Time{Time: time.Now()}}.encode())
	}
	return ending{}, true
}

// hearToken is hear for a token.
func (c *conn) hearToken(token string) (end ending, ok bool) {
	// On a goroutine of its own, because the stack that this takes would stay with the reader's.
	done := make(chan struct{})
	go func() {
		defer close(done)
		end, ok = c.admit(c.context(), token)
	}()
	<-done
	if ok {
		c.mu.Lock()
		expires := c.expires
		c.mu.Unlock()
		c.reply(typeAuth, expiring(expires))
	}
	return end, ok
}

// cut shortens text to at most n characters.
func cut(text string, n int) string {
	runes := []rune(text)
	if len(runes) <= n {
		return text
	}
	return string(runes[:n]) + "…"
}

// renew gives the client another pongWait of silence, unless it is being waited for only to say goodbye.
func (c *conn) renew() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.hanging {
		_ = c.socket.SetReadDeadline(time.Now().Add(pongWait))
	}
}

// readEnd is the end that a failed read means.
func readEnd(err error) ending {
	if closed, ok := errors.AsType[*websocket.CloseError](err); ok {
		if closed.Code == websocket.CloseAbnormalClosure {
			return ending{Code: lost, cause: err}
		}
		return ending{Code: byClient, echo: closed.Code}
	}
	if errors.Is(err, websocket.ErrReadLimit) {
		return ending{Code: TooBig, cause: err}
	}
	// The library has no type for a violation of the protocol, only its prefix; everything else is the network's.
	if strings.HasPrefix(err.Error(), "websocket: ") {
		return ending{Code: Protocol, cause: err}
	}
	return ending{Code: lost, cause: err}
}
