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

// RequireUser lets a request pass whose token the verifier takes, whose {user_id}, if its route has one, is the token's
// subject, and whose method the token's scope allows: reading for GET and HEAD, else writing. Others get 401 or 403. Behind it
// auth.FromContext, telemetry.User and the parameter say who it is.
func RequireUser(v *auth.Verifier) echo.MiddlewareFunc {
	return require(func(r *http.Request) (auth.Claims, error) { return v.Verify(r.Context(), auth.FromRequest(r)) }, needOf)
}

// needOf is what a request needs by its method (RFC 9110, 9.2.1).
func needOf(r *http.Request) auth.Scope {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions:
		return auth.Read
	default:
		return auth.Write
	}
}

// RequireSession lets pass who is signed in; an API token gets 403, whatever its scope. Put it behind RequireUser.
func RequireSession(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		claims, _ := auth.FromContext(c.Request().Context()) // those of nobody may do nothing
		if err := claims.May(auth.Session); err != nil {
			return err
		}
		return next(c)
	}
}

// RequireBearer is RequireUser for programs: only the Authorization header counts, and a 401 names the address of the
// metadata by which a client finds out who issues tokens (RFC 9728, 5.1). The method says nothing of what such a program
// does, so what the scope allows is up to the handler.
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
	}, func(*http.Request) auth.Scope { return auth.Read })
}

// challenged is a refused token, with where to learn how to get another.
type challenged struct {
	error
	metadata string
}

func (c challenged) Unwrap() error { return c.error }

func require(verify func(*http.Request) (auth.Claims, error), need func(*http.Request) auth.Scope) echo.MiddlewareFunc {
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
			if err := claims.May(need(r)); err != nil {
				return err
			}
			return next(c)
		}
	}
}
