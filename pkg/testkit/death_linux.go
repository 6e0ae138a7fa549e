package testkit

import "syscall"

// dieWithTest has the kernel end the process when the test binary dies without its cleanups.
func dieWithTest(attr *syscall.SysProcAttr) { attr.Pdeathsig = syscall.SIGKILL }
