// Command scheduler makes repeating tasks repeat and reminders ring: see README.md.
package main

import (
	"github.com/taskflow-suite/taskflow/pkg/process"
	"github.com/taskflow-suite/taskflow/services/scheduler/internal/app"
)

func main() { process.Main(app.Run) }
