package trail

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"time"
)

// maxLine bounds a line of a log. What is longer is passed over; no service writes such.
const maxLine = 1 << 20

// told are the attributes of log lines that are shown: names from closed sets, ids and numbers.
var told = []string{
	"level", "status", "event_type", "event_id", "topic", "method", "route", "duration_ms", "took_ms", "bytes", "tool", "code",
	"kind", "attempt", "error", traceID,
}

// Logs adds the lines of a correlation id to steps, of JSON lines as the services write them. What stands before a line's
// first brace is passed over, which is what kubectl and `taskflow up` put there, and so are lines that are no JSON. It stops
// at MaxSteps.
func Logs(in io.Reader, correlationID string, steps []Step) ([]Step, error) {
	want := []byte(correlationID)
	lines := bufio.NewReaderSize(in, 64<<10)
	for len(steps) <= MaxSteps {
		line, err := next(lines)
		if bytes.Contains(line, want) {
			if s, ok := lineOf(line, correlationID); ok {
				steps = append(steps, s)
			}
		}
		if errors.Is(err, io.EOF) {
			return steps, nil
		}
		if err != nil {
			return steps, err
		}
	}
	return steps, nil
}

// next is the next line, nothing for one that is too long.
func next(in *bufio.Reader) ([]byte, error) {
	var line []byte
	for {
		part, err := in.ReadSlice('\n')
		if len(line) <= maxLine {
			line = append(line, part...)
		}
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		if len(line) > maxLine {
			line = nil
		}
		return line, err
	}
}

func lineOf(line []byte, correlationID string) (Step, bool) {
	brace := bytes.IndexByte(line, '{')
	if brace < 0 {
		return Step{}, false
	}
	var fields map[string]any
	if json.Unmarshal(line[brace:], &fields) != nil || fields["correlation_id"] != correlationID {
		return Step{}, false
	}
	text := func(name string) string {
		value, _ := fields[name].(string)
		return value
	}
	at, err := time.Parse(time.RFC3339Nano, text("timestamp"))
	if err != nil {
		return Step{}, false
	}
	detail := map[string]any{}
	for _, name := range told {
		if value, ok := fields[name]; ok && name != "event_id" {
			detail[name] = value
		}
	}
	return Step{
		At: at.UTC(), Source: Log, Who: text("service_name"), What: text("msg"), UserID: text("user_id"),
		EventID: text("event_id"), Detail: detail,
	}, true
}
