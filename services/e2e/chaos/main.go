// Command chaos breaks a whole suite while people use it, and proves from what they were told and what they saw that
// nothing was lost. See docs/chaos.md.
package main

import (
	"github.com/taskflow-suite/taskflow/pkg/process"

	"github.com/taskflow-suite/taskflow/services/e2e/chaos/internal/app"
)

func main() { process.Main(app.Run) }
