package rest

import (
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"github.com/labstack/echo/v4"
	"golang.org/x/time/rate"

	"github.com/taskflow-suite/taskflow/pkg/auth"
)

// maxLimiters bounds the callers a RateLimit remembers; who was forgotten begins with a full burst.
const maxLimiters = 10_000

// Limiter lets each caller do something a burst of times at once and so often per second over time. It counts for one
// replica, and is safe for concurrent use.
type Limiter struct {
	perSecond rate.Limit
	burst     int
	callers   *lru.Cache[string, *rate.Limiter]
}

// NewLimiter makes a Limiter.
func NewLimiter(perSecond, burst int) *Limiter {
	callers, err := lru.New[string, *rate.Limiter](maxLimiters)
	if err != nil {
		panic(err) // only for a size below one
	}
	return &Limiter{rate.Limit(perSecond), burst, callers}
}

// Take counts one for a caller, or says with TooManyRequests how long it must wait; then nothing is counted.
func (l *Limiter) Take(caller string) error {
	limiter, known := l.callers.Get(caller)
	if !known {
		limiter = rate.NewLimiter(l.perSecond, l.burst)
		if first, was, _ := l.callers.PeekOrAdd(caller, limiter); was {
			limiter = first
		}
	}
	now := time.Now()
	turn := limiter.ReserveN(now, 1)
	if wait := turn.DelayFrom(now); wait > 0 {
		turn.CancelAt(now)
		return TooManyRequests{wait}
	}
	return nil
}

// RateLimit lets each user make a burst of requests at once and so many per second over time; more get 429 with
// Retry-After. Put it behind RequireUser; where nobody is verified, the client's address counts. Each replica counts for
// itself.
func RateLimit(perSecond, burst int) echo.MiddlewareFunc {
	limiter := NewLimiter(perSecond, burst)
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			caller := "address " + c.RealIP()
			if claims, ok := auth.FromContext(c.Request().Context()); ok {
				caller = claims.Subject
			}
			if err := limiter.Take(caller); err != nil {
				return err
			}
			return next(c)
		}
	}
}
