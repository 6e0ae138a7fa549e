package rest

import (
	"net/url"
	"slices"

	"github.com/labstack/echo/v4"

	"github.com/taskflow-suite/taskflow/pkg/auth"
	"github.com/taskflow-suite/taskflow/pkg/telemetry"
)

const userParam = "user_id"

// RequireUser lets a request pass whose token the verifier takes and whose {user_id}, if its route has one, is the
// token's subject; others get 401 or 403. Behind it auth.FromContext, telemetry.User and the parameter say who it is.
func RequireUser(v *auth.Verifier) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			r := c.Request()
			ctx := r.Context()
			claims, err := v.Verify(ctx, auth.FromRequest(r))
			if err != nil {
				return err
			}
			// Also for a request that is refused below: the log says who tried.
			ctx = telemetry.WithUser(auth.WithClaims(ctx, claims), claims.Subject)
			c.SetRequest(r.WithContext(ctx))
			if i := slices.Index(c.ParamNames(), userParam); i >= 0 {
				// echo leaves a parameter escaped if its client escaped more than was necessary, such as %40 for @.
				user, err := url.PathUnescape(c.ParamValues()[i])
				if err != nil {
					user = ""
				}
				if err := claims.Owns(user); err != nil {
					return err
				}
				c.ParamValues()[i] = user
			}
			return next(c)
		}
	}
}
