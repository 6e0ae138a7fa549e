//go:build !linux

package island

import (
	"context"
	"errors"
)

// Reason says why there is no island on this machine.
func Reason() string { return "needs Linux" }

// Run fails: see Reason.
func Run(context.Context, ...string) error { return errors.New(Reason()) }

// Settle fails: see Reason.
func Settle(context.Context) error { return errors.New(Reason()) }

// Do fails: see Reason.
func Do(context.Context, string, ...string) error { return errors.New(Reason()) }
