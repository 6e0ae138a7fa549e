// Package sse writes server-sent events (HTML Living Standard, section 9.2) for the protocols that travel on them.
//
// It owns the headers, and that nobody waits for a reader without a deadline. It refuses to know what an event says.
package sse

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

// Stream is one answer made of events. Nothing is written before its first Flush or Beat. It is for one goroutine.
type Stream struct {
	w        http.ResponseWriter
	control  *http.ResponseController
	patience time.Duration
	buf      bytes.Buffer
	own      map[string]string
	begun    bool
}

// New makes a Stream on a response whose headers have not been sent; own are the protocol's, which an error that is
// answered instead of a stream must not have. A reader that takes nothing for as long as patience is gone.
func New(w http.ResponseWriter, patience time.Duration, own map[string]string) *Stream {
	return &Stream{w: w, control: http.NewResponseController(w), patience: patience, own: own}
}

// Begun reports whether anything was written.
func (s *Stream) Begun() bool { return s.begun }

// Add appends an event whose data is v as JSON to what the next Flush writes. v must have a JSON form.
func (s *Stream) Add(v any) {
	raw, err := json.Marshal(v)
	if err != nil {
		panic(err) // what protocols send is made of strings, and of raw values that were checked
	}
	s.AddText(string(raw))
}

// AddText appends an event whose data is one line of text.
func (s *Stream) AddText(line string) {
	s.buf.WriteString("data: ")
	s.buf.WriteString(line)
	s.buf.WriteString("\n\n")
}

// Beat writes a comment, which readers pass over, so that nothing in between takes the silence for an end. The error is
// that of writing: the reader is gone.
func (s *Stream) Beat() error {
	s.buf.WriteString(": still here\n\n")
	return s.Flush()
}

// Flush sends what was added. The error is that of writing: the reader is gone.
func (s *Stream) Flush() error {
	if s.buf.Len() == 0 {
		return nil
	}
	if !s.begun {
		s.begun = true
		h := s.w.Header()
		h.Set("Content-Type", "text/event-stream; charset=utf-8")
		h.Set("Cache-Control", "no-cache, no-transform")
		h.Set("X-Accel-Buffering", "no") // nginx would collect the answer and show it at once
		for name, value := range s.own {
			h.Set(name, value)
		}
		s.w.WriteHeader(http.StatusOK)
	}
	// Not every response has deadlines: one that is written into memory needs none.
	_ = s.control.SetWriteDeadline(time.Now().Add(s.patience))
	_, err := s.w.Write(s.buf.Bytes())
	s.buf.Reset()
	if err == nil {
		err = s.control.Flush()
	}
	if err != nil {
		return fmt.Errorf("the reader of a stream: %w", err)
	}
	return nil
}
