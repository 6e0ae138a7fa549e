//go:build !linux

package testkit

import "syscall"

// dieWithTest does nothing: only Linux can end a process with its parent.
func dieWithTest(*syscall.SysProcAttr) {}
