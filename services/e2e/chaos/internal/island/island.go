// Package island gives a run a network and mounts of its own, so that it can cut wires and fill disks without anybody else on
// the machine noticing, and so that all of it is gone when the run ends, however it ends. It needs Linux and root; where
// it cannot be had, Reason says why, and the run does without.
package island

import "os"

// mark is set for a program that runs on an island.
const mark = "TASKFLOW_CHAOS_ISLAND"

// Here reports whether this program runs on an island.
func Here() bool { return os.Getenv(mark) != "" }
