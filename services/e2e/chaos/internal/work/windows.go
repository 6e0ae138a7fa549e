package work

import (
	"context"
	"encoding/json"
	"math/rand/v2"
	"time"

	"github.com/taskflow-suite/taskflow/services/e2e/chaos/internal/record"
	"github.com/taskflow-suite/taskflow/services/internal/client"
)

// look keeps a window open and writes down what it is told, until ctx ends. It connects again whenever it must, and asks for
// what it missed.
func (p *person) look(ctx context.Context, window int) {
	last, connection := int64(0), 0
	for wait := 50 * time.Millisecond; ctx.Err() == nil; wait = min(2*wait, 2*time.Second) {
		dialing, cancel := context.WithTimeout(ctx, 10*time.Second)
		socket, err := p.quick.Connect(dialing, last)
		cancel()
		if err == nil {
			connection++
			p.crowd.o.Record.Add(record.Line{Frame: &record.Frame{User: p.user(), Window: window, Connection: connection, Type: record.Connected, Sequence: last}})
			if read := p.frames(ctx, socket, window, connection, &last); read {
				wait = 50 * time.Millisecond
			}
		}
		timer := time.NewTimer(time.Duration(rand.Int64N(int64(wait)))) //nolint:gosec // G404: jitter, not a secret
		select {
		case <-ctx.Done():
		case <-timer.C:
		}
		timer.Stop()
	}
}

// silence is after how long without a frame a window takes its connection for dead, as browsers do that hear of no pong.
const silence = 15 * time.Second

// frames reads one connection to its end, and reports whether it brought anything.
func (p *person) frames(ctx context.Context, socket *client.Socket, window, connection int, last *int64) (read bool) {
	defer socket.Close()
	stop := context.AfterFunc(ctx, func() { _ = socket.Close() })
	defer stop()
	for {
		dead := time.AfterFunc(silence, func() { _ = socket.Close() })
		raw, err := socket.Read()
		dead.Stop()
		if err != nil {
			return read
		}
		read = true
		f := client.Frame{}
		if err := json.Unmarshal(raw, &f); err != nil {
			f.Type = "unreadable"
		}
		line := record.Frame{
			User: p.user(), Window: window, Connection: connection, Type: f.Type,
			Sequence: f.Sequence, EventID: f.Data.EventID, Subject: f.Data.TaskID + f.Data.SeriesID, Version: f.Data.Version,
		}
		if f.Sequence == 0 {
			line.Sequence = f.Data.Sequence // of hello and resync
		} else {
			*last = max(*last, f.Sequence)
			p.crowd.counts.frames.Add(1)
		}
		p.crowd.o.Record.Add(record.Line{Frame: &line})
	}
}
