package rest

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"

	"github.com/taskflow-suite/taskflow/pkg/event"
	contract "github.com/taskflow-suite/taskflow/proto"
)

const (
	defaultEvents = 200
	// portion is how many events or tasks an export reads at a time.
	portion = 200
)

// ListChanges answers with what changed since a sequence, without contents.
func (s *Server) ListChanges(ctx context.Context, r ListChangesRequestObject) (ListChangesResponseObject, error) {
	most := or(r.Params.Limit, defaultEvents)
	since := r.Params.Since
	events, current, err := s.tasks.Events(ctx, r.UserID, contract.Tasks, "", since, most+1)
	if err != nil {
		return nil, err
	}
	// Sequences have no holes: if the first does not follow on since, the log was cut in between.
	first := current + 1
	if len(events) > 0 {
		first = events[0].Sequence
	}
	reset := first != since+1
	if reset {
		events = nil
	}
	more := len(events) > most
	events = events[:min(len(events), most)]
	return pooledReply(func(b []byte) []byte {
		b = append(b, `{"changes":[`...)
		for i := range events {
			b = appendComma(b, i)
			b = appendChange(b, &events[i])
		}
		b = append(b, `],"current_sequence":`...)
		b = strconv.AppendInt(b, current, 10)
		b = append(b, `,"has_more":`...)
		b = strconv.AppendBool(b, more)
		b = append(b, `,"reset":`...)
		b = strconv.AppendBool(b, reset)
		return append(b, '}')
	}), nil
}

func appendChange(b []byte, e *event.Envelope) []byte {
	b = append(b, `{"sequence":`...)
	b = strconv.AppendInt(b, e.Sequence, 10)
	b = append(b, `,"event_id":`...)
	b = appendString(b, e.ID)
	b = append(b, `,"event_type":`...)
	b = appendString(b, e.Type)
	if strings.HasPrefix(e.Type, "series.") {
		b = append(b, `,"series_id":`...)
	} else {
		b = append(b, `,"task_id":`...)
	}
	b = appendString(b, e.AggregateID)
	b = append(b, `,"version":`...)
	b = strconv.AppendInt(b, int64(e.Version), 10)
	b = append(b, `,"timestamp":`...)
	b = appendTime(b, e.Timestamp.Time)
	if e.Type == contract.TaskUpdated.Name || e.Type == contract.SeriesUpdated.Name {
		var data struct {
			Changed []string `json:"changed"`
		}
		if json.Unmarshal(e.Data, &data) == nil {
			b = append(b, `,"changed":[`...)
			for i, name := range data.Changed {
				b = appendComma(b, i)
				b = appendString(b, name)
			}
			b = append(b, ']')
		}
	}
	return append(b, '}')
}

// appendEvent writes an event as it travels on its topic.
func appendEvent(b []byte, e *event.Envelope) []byte {
	b = append(b, `{"event_id":`...)
	b = appendString(b, e.ID)
	b = append(b, `,"event_type":`...)
	b = appendString(b, e.Type)
	b = append(b, `,"user_id":`...)
	b = appendString(b, e.UserID)
	b = append(b, `,"timestamp":`...)
	b = appendTime(b, e.Timestamp.Time)
	b = append(b, `,"aggregate_id":`...)
	b = appendString(b, e.AggregateID)
	b = append(b, `,"version":`...)
	b = strconv.AppendInt(b, int64(e.Version), 10)
	b = append(b, `,"sequence":`...)
	b = strconv.AppendInt(b, e.Sequence, 10)
	if e.CorrelationID != "" {
		b = append(b, `,"correlation_id":`...)
		b = appendString(b, e.CorrelationID)
	}
	if e.CausationID != "" {
		b = append(b, `,"causation_id":`...)
		b = appendString(b, e.CausationID)
	}
	b = append(b, `,"data":`...)
	b = append(b, e.Data...)
	return append(b, '}')
}

// ListEvents answers with one page of the audit trail.
func (s *Server) ListEvents(ctx context.Context, r ListEventsRequestObject) (ListEventsResponseObject, error) {
	trail := trailCursor{
		topic:  string(or(r.Params.Topic, ListEventsParamsTopic(contract.Tasks))),
		newest: or(r.Params.Order, ListEventsParamsOrderOldest) == ListEventsParamsOrderNewest,
	}
	if r.Params.TaskID != nil {
		trail.taskID = canonical(*r.Params.TaskID)
	}
	if r.Params.Cursor != nil {
		var err error
		if trail, err = trail.at(*r.Params.Cursor); err != nil {
			return nil, err
		}
	}
	most := or(r.Params.Limit, defaultEvents)
	read := s.tasks.Events
	if trail.newest {
		read = s.tasks.EventsBefore
	}
	events, current, err := read(ctx, r.UserID, contract.Topic(trail.topic), trail.taskID, trail.sequence, most+1)
	if err != nil {
		return nil, err
	}
	next := ""
	if len(events) > most {
		events = events[:most]
		trail.sequence = events[most-1].Sequence
		next = trail.String()
	}
	return pooledReply(func(b []byte) []byte {
		b = append(b, `{"items":[`...)
		for i := range events {
			b = appendComma(b, i)
			b = appendEvent(b, &events[i])
		}
		b = append(b, `],"current_sequence":`...)
		b = strconv.AppendInt(b, current, 10)
		return appendNext(b, next)
	}), nil
}
