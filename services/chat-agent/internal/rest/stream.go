package rest

import (
	"context"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/services/chat-agent/internal/agent"
	"github.com/taskflow-suite/taskflow/services/chat-agent/internal/uistream"
)

const internalText = "Something went wrong on our side. If it happens again, tell us the X-Correlation-ID."

// streaming is the key under which a request's context says that the answer is wanted as a stream.
type streaming struct{}

// patient is the middleware of the operations that take as long as a run. It lets their connections live that long, and
// notes which form of the answer is wanted.
func (s *Server) patient(next echo.HandlerFunc) echo.HandlerFunc {
	return func(e echo.Context) error {
		r := e.Request()
		// Not every response has deadlines: one that is written into memory needs none.
		_ = http.NewResponseController(e.Response()).SetWriteDeadline(time.Now().Add(s.RunTime + s.Patience))
		if wantsStream(r.Header.Values(echo.HeaderAccept)) {
			e.SetRequest(r.WithContext(context.WithValue(r.Context(), streaming{}, true)))
		}
		return next(e)
	}
}

// wantsStream reports whether a stream is named and not liked less than JSON (RFC 9110, section 12.5.1).
func wantsStream(accept []string) bool {
	stream, plain := -1.0, -1.0
	for _, header := range accept {
		for one := range strings.SplitSeq(header, ",") {
			mediaType, parameters, err := mime.ParseMediaType(one)
			if err != nil {
				continue
			}
			q, err := strconv.ParseFloat(parameters["q"], 64)
			if err != nil {
				q = 1
			}
			switch mediaType {
			case "text/event-stream":
				stream = q
			case "application/json":
				plain = q
			}
		}
	}
	return stream > 0 && stream >= plain
}

// answer starts a run and answers with it, in the form the request wants.
func (s *Server) answer(ctx context.Context, do work) (reply, error) {
	n, err := s.runs.start(ctx, do)
	if err != nil {
		return nil, err
	}
	if ctx.Value(streaming{}) == nil {
		n.events.close()
		select {
		case <-n.done:
			if n.err != nil {
				return nil, n.err
			}
			return answerReply(n.answer), nil
		case <-ctx.Done():
			n.leave()
			return nil, ctx.Err()
		}
	}
	return func(w http.ResponseWriter) error { return s.tell(ctx, uistream.New(w, s.Patience), n) }, nil
}

// teller writes a run as a protocol has it. The errors are those of writing: the reader is gone.
type teller interface {
	// Begun reports whether anything was written.
	Begun() bool
	Event(event agent.Event) error
	// Beat writes what readers pass over.
	Beat() error
	Finish(answer agent.Answer) error
	// Fail ends the stream with a sentence for the user.
	Fail(text string) error
}

// tell writes what happens in a run until its end, or until the reader is gone. Nothing is written before something has
// happened, so that what goes wrong at once is answered as any other error; what goes wrong later is told in the stream
// and comes back for the log.
func (s *Server) tell(ctx context.Context, w teller, n *run) error {
	beat := time.NewTicker(s.Heartbeat)
	defer beat.Stop()
	reading := true
	for reading {
		select {
		case <-n.events.more:
			reading = forward(w, n.events)
			beat.Reset(s.Heartbeat)
		case <-beat.C:
			reading = w.Beat() == nil
		case <-ctx.Done():
			reading = false
		case <-n.done:
			switch reading = forward(w, n.events); {
			case !reading:
			case n.err == nil:
				_ = w.Finish(n.answer) // a reader that is gone needs no ending
				return nil
			case w.Begun():
				_ = w.Fail(sentence(n.err)) // a reader that is gone needs no ending
				return n.err
			default:
				return n.err
			}
		}
	}
	n.leave()
	if w.Begun() {
		return nil
	}
	return context.Canceled // nobody is there to be answered; for the log
}

// forward writes what waits. It reports whether there still is a reader.
func forward(w teller, events *mailbox) bool {
	waiting, behind := events.take()
	if behind {
		_ = w.Fail("The answer came faster than it was read. It is in the conversation.") // a reader that is gone needs no ending
		return false
	}
	for _, e := range waiting {
		if w.Event(e) != nil {
			return false
		}
	}
	return true
}

// sentence is what a user may be told of an error.
func sentence(err error) string {
	if text := errs.Text(err); text != "" {
		return text
	}
	return internalText
}
