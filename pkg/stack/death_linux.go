package stack

import "syscall"

// dieWithParent has the kernel end the child when we die, also by SIGKILL.
func dieWithParent(attr *syscall.SysProcAttr, sig syscall.Signal) { attr.Pdeathsig = sig }
