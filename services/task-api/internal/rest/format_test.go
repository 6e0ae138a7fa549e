package rest

import (
	"errors"
	"sync"

	"github.com/getkin/kin-openapi/openapi3"
)

// teachFormats makes kin-openapi check our formats as we do.
var teachFormats = sync.OnceFunc(func() {
	for name, check := range formats {
		openapi3.DefineStringFormatValidator(name, openapi3.NewCallbackValidator(func(s string) error {
			if wrong := check(s); wrong != "" {
				return errors.New(wrong)
			}
			return nil
		}))
	}
})
