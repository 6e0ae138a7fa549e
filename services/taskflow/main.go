// Command taskflow is the developer's and operator's hand: it runs the suite on one machine, makes tokens and topics,
// looks at events, replays them and proves that the log and the tables agree.
package main

import (
	"github.com/taskflow-suite/taskflow/pkg/process"

	"github.com/taskflow-suite/taskflow/services/taskflow/internal/app"
)

func main() { process.Main(app.Run) }
