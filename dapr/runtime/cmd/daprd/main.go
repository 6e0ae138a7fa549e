// Command daprd is the Dapr sidecar with TaskFlow's components only. It is a
// door: everything it does is in internal/daprd.
package main

import (
	"fmt"
	"os"

	"github.com/taskflow-suite/taskflow/dapr/runtime/internal/daprd"
)

func main() {
	if err := daprd.Run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "daprd:", err)
		os.Exit(1)
	}
}
