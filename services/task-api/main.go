// Command task-api is TaskFlow's REST door: see README.md.
package main

import (
	"github.com/taskflow-suite/taskflow/pkg/process"
	"github.com/taskflow-suite/taskflow/services/task-api/internal/app"
)

func main() { process.Main(app.Run) }
