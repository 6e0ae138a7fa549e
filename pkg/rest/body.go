package rest

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/taskflow-suite/taskflow/pkg/errs"
)

// JSON reads a request's body, which must be one JSON value of target's type and nothing else: 415 for another content
// type, 400 for what is no JSON, 413 for too much of it, 422 that names the field for one that is unknown or of the
// wrong type.
func JSON(c echo.Context, target any) error {
	kind, _, err := mime.ParseMediaType(c.Request().Header.Get(echo.HeaderContentType))
	if err != nil || (kind != "application/json" && kind != "application/merge-patch+json") {
		return echo.NewHTTPError(http.StatusUnsupportedMediaType, "The body must be application/json.")
	}
	decoder := json.NewDecoder(c.Request().Body)
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(target); err != nil {
		return bodyError(err)
	}
	switch _, err := decoder.Token(); {
	case errors.Is(err, io.EOF):
		return nil
	case isTooLarge(err):
		return err
	default:
		return malformed("The body must be one JSON value and nothing after it.")
	}
}

func malformed(text string) error { return echo.NewHTTPError(http.StatusBadRequest, text) }

func isTooLarge(err error) bool {
	_, ok := errors.AsType[*http.MaxBytesError](err)
	return ok
}

func bodyError(err error) error {
	if isTooLarge(err) {
		return err
	}
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok && wrong.Field != "" {
		return errs.InvalidFields(errs.Field{Field: wrong.Field, Message: "must not be a JSON " + wrong.Value})
	}
	if _, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return malformed("The body is JSON of another kind than expected.")
	}
	// encoding/json has no type for this one.
	if field, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
		return errs.InvalidFields(errs.Field{Field: strings.Trim(field, `"`), Message: "is not a field"})
	}
	if errors.Is(err, io.EOF) {
		return malformed("The body is empty: expected JSON.")
	}
	if errs.KindOf(err) != errs.Internal {
		return err // a type's own UnmarshalJSON had something to say
	}
	return malformed("The body is not valid JSON.")
}
