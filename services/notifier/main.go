// Command notifier is TaskFlow's WebSocket door: see README.md.
package main

import (
	"github.com/taskflow-suite/taskflow/pkg/process"
	"github.com/taskflow-suite/taskflow/services/notifier/internal/app"
)

func main() { process.Main(app.Run) }
