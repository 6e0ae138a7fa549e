package rest

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/taskflow-suite/taskflow/pkg/event"
	"github.com/taskflow-suite/taskflow/pkg/task"
	contract "github.com/taskflow-suite/taskflow/proto"
)

// Bounds of an export in time: of all of it, and of the client's taking one portion.
const (
	exportDeadline  = 10 * time.Minute
	portionDeadline = 30 * time.Second
)

// ExportUser answers with everything of the user.
func (s *Server) ExportUser(ctx context.Context, r ExportUserRequestObject) (ExportUserResponseObject, error) {
	// What is needed for the first byte is read here, where failing can still be said with a status.
	profile, err := s.tasks.Profile(ctx, r.UserID)
	if err != nil {
		return nil, err
	}
	first, err := s.tasks.List(ctx, r.UserID, task.Query{Limit: portion})
	if err != nil {
		return nil, err
	}
	return export{ctx, s.tasks, profile, first}, nil
}

// export writes a user's export portion by portion, so that its size does not matter.
type export struct {
	ctx     context.Context //nolint:containedctx // the generated interface has no place for it
	tasks   *task.Service
	profile task.Profile
	first   task.Page
}

// VisitExportUserResponse writes the export. A failure after the first byte ends the connection.
func (x export) VisitExportUserResponse(w http.ResponseWriter) error {
	attachment(w.Header(), "taskflow-export.json")
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "private, no-store")
	w.WriteHeader(http.StatusOK)
	ctx, cancel := context.WithTimeout(x.ctx, exportDeadline)
	defer cancel()
	if err := x.write(ctx, sender(w)); err != nil {
		slog.WarnContext(ctx, "an export was cut off", "error", err)
		// net/http closes the connection without the last chunk, and the client sees that something is missing.
		panic(http.ErrAbortHandler)
	}
	return nil
}

func (x export) write(ctx context.Context, send func([]byte) error) error {
	b := append(make([]byte, 0, 64<<10), `{"exported_at":`...)
	b = appendTime(b, time.Now())
	b = append(b, `,"profile":`...)
	b = appendProfile(b, x.profile)
	b = append(b, `,"tasks":[`...)
	written := 0
	for _, deleted := range []bool{false, true} {
		page := x.first
		if deleted {
			var err error
			if page, err = x.tasks.List(ctx, x.profile.UserID, task.Query{Deleted: true, Limit: portion}); err != nil {
				return err
			}
		}
		for {
			for i := range page.Tasks {
				b = appendComma(b, written)
				b = appendTask(b, &page.Tasks[i])
				written++
			}
			if err := send(b); err != nil {
				return err
			}
			b = b[:0]
			if page.Next == "" {
				break
			}
			var err error
			if page, err = x.tasks.List(ctx, x.profile.UserID, task.Query{Deleted: deleted, Limit: portion, After: page.Next}); err != nil {
				return err
			}
		}
	}
	b = append(b, `],"events":[`...)
	written = 0
	for _, topic := range []contract.Topic{contract.Users, contract.Tasks} {
		for since := int64(0); ; {
			events, err := x.events(ctx, topic, since)
			if err != nil {
				return err
			}
			if len(events) == 0 {
				break
			}
			for i := range events {
				b = appendComma(b, written)
				b = appendEvent(b, &events[i])
				written++
			}
			since = events[len(events)-1].Sequence
			if err := send(b); err != nil {
				return err
			}
			b = b[:0]
		}
	}
	return send(append(b, "]}"...))
}

func (x export) events(ctx context.Context, topic contract.Topic, since int64) ([]event.Envelope, error) {
	events, _, err := x.tasks.Events(ctx, x.profile.UserID, topic, "", since, portion)
	return events, err
}

// attachment suggests a file name without anything of the user in it.
func attachment(h http.Header, name string) {
	h.Set("Content-Disposition", `attachment; filename="`+name+`"`)
}

// sender writes portions of an answer, each within its own deadline.
func sender(w http.ResponseWriter) func([]byte) error {
	control := http.NewResponseController(w)
	return func(b []byte) error {
		if err := control.SetWriteDeadline(time.Now().Add(portionDeadline)); err != nil {
			return err
		}
		_, err := w.Write(b)
		return err
	}
}
