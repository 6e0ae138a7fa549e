//go:build !linux

package faults

import (
	"errors"
	"time"
)

func delay(uint16, time.Duration) (func(), error) { return nil, errors.New("needs Linux") }
