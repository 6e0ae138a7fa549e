//go:build !linux

package stack

import "syscall"

// dieWithParent has no counterpart here: the next Start or Down ends what was left behind.
func dieWithParent(*syscall.SysProcAttr, syscall.Signal) {}
