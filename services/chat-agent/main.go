// Command chat-agent is TaskFlow's chat: see README.md.
package main

import (
	"github.com/taskflow-suite/taskflow/pkg/process"
	"github.com/taskflow-suite/taskflow/services/chat-agent/internal/app"
)

func main() { process.Main(app.Run) }
