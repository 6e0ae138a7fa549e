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

// RateLimit lets each user make a burst of requests at once and so many per second over time; more get 429 with
// Retry-After. Put it behind RequireUser; where nobody is verified, the client's address counts. Each replica counts for
// itself.
func RateLimit(perSecond, burst int) echo.MiddlewareFunc {
	limiters, err := lru.New[string, *rate.Limiter](maxLimiters)
	if err != nil {
		panic(err) // only for a size below one
	}
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			caller := "address " + c.RealIP()
			if claims, ok := auth.FromContext(c.Request().Context()); ok {
				caller = claims.Subject
			}
			limiter, known := limiters.Get(caller)
			if !known {
				limiter = rate.NewLimiter(rate.Limit(perSecond), burst)
				if first, was, _ := limiters.PeekOrAdd(caller, limiter); was {
					limiter = first
				}
			}
			now := time.Now()
			turn := limiter.ReserveN(now, 1)
			if wait := turn.DelayFrom(now); wait > 0 {
				turn.CancelAt(now)
				return TooManyRequests{wait}
			}
			return next(c)
		}
	}
}
