package rest

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/labstack/echo/v4"

	house "github.com/taskflow-suite/taskflow/pkg/rest"
	"github.com/taskflow-suite/taskflow/pkg/task"
	"github.com/taskflow-suite/taskflow/services/internal/contract"
)

// Server answers the operations of the specification.
type Server struct {
	tasks        *task.Service
	tokens       Tokens
	forgetTokens func(userID string)
	now          func() time.Time
}

// Options are what the operations need.
type Options struct {
	Tasks  *task.Service
	Tokens Tokens
	// ForgetTokens is called when a user's API tokens are fewer than before: whoever remembers them must ask again.
	ForgetTokens func(userID string)
	// Now is the clock, time.Now in production.
	Now func() time.Time
}

// deleteUser is the operation before which nobody is made in order to be deleted.
const deleteUser = "deleteUser"

// sessionOnly are the operations that are closed to API tokens of whatever scope.
var sessionOnly = []string{deleteUser, "listTokens", "createToken", "revokeToken"}

// Untimed are the route templates whose answers take as long as they take; the house must not time them.
func Untimed() []string {
	return []string{"/api/:user_id/export", "/api/:user_id/export.ics", importRoute}
}

// Large are the limits in bytes on the bodies of routes that may be larger than others'.
func Large() map[string]int { return map[string]int{importRoute: maxImport} }

// Register adds the operations to e, behind the given middleware (who may call, and how often), and the specification
// with its page. e's binder becomes the contract's. An error is a mistake in the specification.
func Register(e *echo.Echo, o Options, behind ...echo.MiddlewareFunc) error {
	spec, err := GetSwagger()
	if err != nil {
		return fmt.Errorf("the specification: %w", err)
	}
	c, err := contract.New(spec, formats)
	if err != nil {
		return err
	}
	s := &Server{tasks: o.Tasks, tokens: o.Tokens, forgetTokens: o.ForgetTokens, now: o.Now}
	chains := c.Chains(behind...)
	for _, id := range sessionOnly {
		// Before the request is looked at, as all questions of who may call.
		chains[id] = slices.Insert(chains[id], len(behind), house.RequireSession)
	}
	for id := range chains {
		if id != deleteUser {
			chains[id] = append(chains[id], s.greet)
		}
	}
	if err := c.Attach(e); err != nil {
		return err
	}
	RegisterHandlersWithOptions(e, NewStrictHandler(s, nil), RegisterHandlersOptions{OperationMiddlewares: chains})
	return nil
}

// ListTasks answers with one page of tasks.
func (s *Server) ListTasks(ctx context.Context, r ListTasksRequestObject) (ListTasksResponseObject, error) {
	q, err := s.query(ctx, r.UserID, r.Params)
	if err != nil {
		return nil, err
	}
	page, err := s.tasks.List(ctx, r.UserID, q)
	if err != nil {
		return nil, err
	}
	return pooledReply(func(b []byte) []byte {
		b = append(b, `{"items":`...)
		b = appendTasks(b, page.Tasks)
		return appendNext(b, page.Next)
	}), nil
}

// appendNext ends a page with its cursor.
func appendNext(b []byte, next string) []byte {
	b = append(b, `,"next_cursor":`...)
	b = appendText(b, next)
	return append(b, '}')
}

// query is the Service's query of a list's parameters.
func (s *Server) query(ctx context.Context, userID string, p ListTasksParams) (task.Query, error) {
	q := task.Query{
		Deleted: or(p.Deleted, false), Tag: or(p.Tag, ""), Text: or(p.Q, ""),
		SeriesID: canonical(or(p.SeriesID, "")), After: or(p.Cursor, ""), Limit: or(p.Limit, 0),
	}
	switch or(p.Status, ListTasksParamsStatusAll) {
	case ListTasksParamsStatusOpen:
		q.Completed = new(bool)
	case ListTasksParamsStatusCompleted:
		done := true
		q.Completed = &done
	case ListTasksParamsStatusAll:
	}
	for _, priority := range or(p.Priority, nil) {
		q.Priority = append(q.Priority, task.Priority(priority))
	}
	if p.Sort != nil {
		name := string(*p.Sort)
		if name[0] == '-' {
			q.Descending, name = true, name[1:]
		}
		q.Order = task.Order(name)
	}
	if or(p.Overdue, false) {
		q.OverdueAt = s.now()
	}
	if p.DueBefore == nil && p.DueAfter == nil {
		return q, nil
	}
	zone, err := s.zone(ctx, userID)
	if err != nil {
		return q, err
	}
	q.DueBefore, q.DueAfter = limit(p.DueBefore, zone), limit(p.DueAfter, zone)
	return q, nil
}

func (s *Server) zone(ctx context.Context, userID string) (*time.Location, error) {
	profile, err := s.tasks.Profile(ctx, userID)
	if err != nil {
		return nil, err
	}
	return task.Zone(profile.TimeZone)
}

// limit is the instant of a filter, checked before; zero for none.
func limit(moment *string, zone *time.Location) time.Time {
	if moment == nil {
		return time.Time{}
	}
	m, err := parseMoment(*moment)
	if err != nil {
		return time.Time{}
	}
	return beginning(m, zone)
}
