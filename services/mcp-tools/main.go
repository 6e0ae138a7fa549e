// Command mcp-tools is TaskFlow's tools for agents: see README.md.
package main

import (
	"github.com/taskflow-suite/taskflow/pkg/process"
	"github.com/taskflow-suite/taskflow/services/mcp-tools/internal/app"
)

func main() { process.Main(app.Run) }
