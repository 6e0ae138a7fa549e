package app

import (
	"github.com/taskflow-suite/taskflow/pkg/auth"
	"github.com/taskflow-suite/taskflow/pkg/postgres"
	"github.com/taskflow-suite/taskflow/pkg/rest"
	"github.com/taskflow-suite/taskflow/pkg/service"
)

// Config is everything task-api is told by its environment.
type Config struct {
	HTTP     rest.Config
	Auth     auth.Config
	Database postgres.Config
	Migrate  bool `env:"MIGRATE" default:"false" doc:"bring the database up to date at the start; a deployment does that once, ahead of the service, with taskflow migrate"`
	Base     service.Base
}
