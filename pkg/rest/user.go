package rest

import (
	"errors"
	"net/http"
	"net/url"
	"slices"

	"github.com/labstack/echo/v4"

	"github.com/taskflow-suite/taskflow/pkg/auth"
	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/telemetry"
)

const userParam = "user_id"

// RequireUser lets a request pass whose token the verifier takes and whose {user_id}, if its route has one, is the
// token's subject; others get 401 or 403. Behind it auth.FromContext, telemetry.User and the parameter say who it is.
func RequireUser(v *auth.Verifier) echo.MiddlewareFunc {
	return require(func(r *http.Request) (auth.Claims, error) { return v.Verify(r.Context(), auth.FromRequest(r)) })
}

// RequireBearer is RequireUser for programs: only the Authorization header counts, and a 401 names the address of the
// metadata by which a client finds out who issues tokens (RFC 9728, 5.1).
func RequireBearer(v *auth.Verifier, metadata string) echo.MiddlewareFunc {
	return require(func(r *http.Request) (auth.Claims, error) {
		claims, err := v.Verify(r.Context(), auth.Bearer(r))
		if errors.Is(err, auth.ErrNoToken) {
			err = errs.Because(err, errs.Denied, "this needs a token: send it as Authorization: Bearer")
		}
		if err != nil {
			err = challenged{err, metadata}
		}
		return claims, err
	})
}

// challenged is a refused token, with where to learn how to get another.
type challenged struct {
	error
	metadata string
}

func (c challenged) Unwrap() error { return c.error }

func require(verify func(*http.Request) (auth.Claims, error)) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			r := c.Request()
			claims, err := verify(r)
			if err != nil {
				return err
			}
			// Also for a request that is refused below: the log says who tried.
			ctx := telemetry.WithUser(auth.WithClaims(r.Context(), claims), claims.Subject)
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
