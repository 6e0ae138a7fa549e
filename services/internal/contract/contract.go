// Package contract serves an OpenAPI contract: it lets only requests through that are as the specification says, gives
// the generated code the bodies that were checked, and shows the specification and a page of it to people.
//
// It owns what is the same for every specification. It refuses to know any of their operations, and who may call, how
// often and how long, which is pkg/rest's business. contracttest is its other half: it holds answers against the
// specification, and fails if a documented one was never shown.
package contract

import (
	"fmt"
	"slices"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/labstack/echo/v4"

	"github.com/taskflow-suite/taskflow/services/internal/contract/docs"
)

// Contract is a specification whose requests can be checked.
type Contract struct {
	spec       *openapi3.T
	operations map[string]*operation
}

// New compiles a specification. The error is a mistake in it, or something in it that would not be checked.
func New(spec *openapi3.T, formats Formats) (*Contract, error) {
	operations, err := compileOperations(spec, formats)
	if err != nil {
		return nil, fmt.Errorf("the specification: %w", err)
	}
	return &Contract{spec, operations}, nil
}

// Chains are the middlewares of each operation, by its id: those given (who may call, and how often), and then the check
// of the request. They are for the generated code's OperationMiddlewares.
func (c *Contract) Chains(behind ...echo.MiddlewareFunc) map[string][]echo.MiddlewareFunc {
	chains := map[string][]echo.MiddlewareFunc{}
	for id, o := range c.operations {
		chains[id] = append(slices.Clone(behind), o.enforce)
	}
	return chains
}

// Attach makes e's binder the contract's and adds the specification with its page. The error is a mistake in the
// specification.
func (c *Contract) Attach(e *echo.Echo) error {
	e.Binder = binder{}
	return docs.Register(e, c.spec)
}
