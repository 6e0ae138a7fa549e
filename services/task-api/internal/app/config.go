package app

import (
	"fmt"
	"time"

	"github.com/taskflow-suite/taskflow/pkg/auth"
	"github.com/taskflow-suite/taskflow/pkg/rest"
	"github.com/taskflow-suite/taskflow/pkg/service"
	"github.com/taskflow-suite/taskflow/pkg/service/writer"
	"github.com/taskflow-suite/taskflow/proto"
)

// Config is everything task-api is told by its environment.
type Config struct {
	HTTP   rest.Config
	Auth   auth.Config
	Store  writer.Config
	Base   service.Base
	Topics Topics
}

// Topics is what task-api must know of the broker's.
type Topics struct {
	// Retention must not be shorter than the broker's: an event that comes again when it is forgotten is handled again.
	Retention time.Duration `env:"TOPIC_RETENTION" default:"168h" doc:"how long topics keep events, as made by taskflow topics apply --retention; at least 168h"`
}

// Check refuses to forget what a topic made by us still has.
func (t Topics) Check() error {
	if t.Retention < proto.MinRetention {
		return fmt.Errorf("TOPIC_RETENTION must be at least %v, not %v", proto.MinRetention, t.Retention)
	}
	return nil
}
