// Command offline-model answers TaskFlow's chat where no language model is configured: see README.md.
package main

import (
	"github.com/taskflow-suite/taskflow/pkg/process"
	"github.com/taskflow-suite/taskflow/services/offline-model/internal/app"
)

func main() { process.Main(app.Run) }
