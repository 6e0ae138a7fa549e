package app

import (
	"github.com/taskflow-suite/taskflow/pkg/auth"
	"github.com/taskflow-suite/taskflow/pkg/rest"
	"github.com/taskflow-suite/taskflow/pkg/service"
	"github.com/taskflow-suite/taskflow/pkg/service/writer"
)

// Config is everything task-api is told by its environment.
type Config struct {
	HTTP  rest.Config
	Auth  auth.Config
	Store writer.Config
	Base  service.Base
}
