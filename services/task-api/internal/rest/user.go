package rest

import (
	"context"
	"strconv"

	"github.com/labstack/echo/v4"

	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/task"
	"github.com/taskflow-suite/taskflow/services/internal/contract"
)

// GetStats answers with the user's numbers.
func (s *Server) GetStats(ctx context.Context, r GetStatsRequestObject) (GetStatsResponseObject, error) {
	stats, err := s.tasks.Stats(ctx, r.UserID)
	if err != nil {
		return nil, err
	}
	return pooledReply(func(b []byte) []byte { return appendStats(b, stats) }), nil
}

func appendStats(b []byte, stats task.Stats) []byte {
	count := func(name string, n int) {
		b = appendString(b, name)
		b = append(b, ':')
		b = strconv.AppendInt(b, int64(n), 10)
	}
	b = append(b, '{')
	for i, c := range []struct {
		name string
		n    int
	}{
		{"open", stats.Open},
		{"completed", stats.Completed},
		{"overdue", stats.Overdue},
		{"due_today", stats.DueToday},
		{"deleted", stats.Deleted},
	} {
		b = appendComma(b, i)
		count(c.name, c.n)
	}
	b = append(b, `,"by_priority":{`...)
	for i, p := range task.Priorities() {
		b = appendComma(b, i)
		count(string(p), stats.ByPriority[p])
	}
	b = append(b, `},"completed_per_day":[`...)
	for i, day := range stats.CompletedPerDay {
		b = appendComma(b, i)
		b = append(b, `{"day":`...)
		b = appendString(b, day.Day)
		b = append(b, ',')
		count("count", day.Count)
		b = append(b, '}')
	}
	return append(b, "]}"...)
}

// GetProfile answers with the user's settings.
func (s *Server) GetProfile(ctx context.Context, r GetProfileRequestObject) (GetProfileResponseObject, error) {
	p, err := s.tasks.Profile(ctx, r.UserID)
	if err != nil {
		return nil, err
	}
	if noneMatch(r.Params.IfNoneMatch, p.Version) {
		return notModified(p.Version), nil
	}
	return profileReply(p), nil
}

// ReplaceProfile sets the user's settings.
func (s *Server) ReplaceProfile(ctx context.Context, r ReplaceProfileRequestObject) (ReplaceProfileResponseObject, error) {
	version, err := ifMatch(r.Params.IfMatch)
	if err != nil {
		return nil, err
	}
	p, err := s.tasks.SetTimeZone(ctx, r.UserID, version, r.Body.TimeZone)
	if errs.Is(err, errs.Stale) {
		return staleProfile(ctx, err, p), nil
	}
	if err != nil {
		return nil, err
	}
	return profileReply(p), nil
}

// DeleteUser deletes everything of the user.
func (s *Server) DeleteUser(ctx context.Context, r DeleteUserRequestObject) (DeleteUserResponseObject, error) {
	if err := s.tasks.Forget(ctx, r.UserID); err != nil {
		return nil, err
	}
	s.forgetTokens(r.UserID)
	return DeleteUser204Response{}, nil
}

// greet makes the profile of a user who comes for the first time. The store remembers whom it knows, so this costs
// nothing afterwards.
func (s *Server) greet(next echo.HandlerFunc) echo.HandlerFunc {
	return func(e echo.Context) error {
		if _, err := s.tasks.Profile(e.Request().Context(), e.Param(contract.UserParam)); err != nil {
			return err
		}
		return next(e)
	}
}
