package stack

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// secrets are made once for a state directory and kept in a file only its owner can read, so that tokens signed today
// are good after a restart.
type secrets struct {
	JWT  string `json:"jwt_secret"`
	Dapr string `json:"dapr_api_token"` // the service shows it to its sidecar
	App  string `json:"app_api_token"`  // the sidecar shows it to its service
	MCP  string `json:"mcp_secret"`     // requests for tools and their replies are signed with it
	Auth string `json:"auth_secret"`    // sessions of the page are signed with it
	Demo string `json:"demo_password"`  // of the demo login
	// Database is what the passwords of the database's roles are made from.
	Database string `json:"database_secret"`
}

// String keeps secrets out of logs and %v.
func (secrets) String() string { return "secrets" }

// GoString does the same for %#v.
func (secrets) GoString() string { return "secrets" }

func secretsPath(dir string) string { return filepath.Join(dir, "secrets.json") }

// JWTSecret is the key (HS256) with which the stack of this state directory checks tokens, whether it runs or not.
// It is made when there is none.
func JWTSecret(dir string) (string, error) {
	s, err := loadSecrets(dir)
	return s.JWT, err
}

// MCPSecret is the key with which the services of this state directory sign requests for tools. It is made when there is
// none.
func MCPSecret(dir string) (string, error) {
	s, err := loadSecrets(dir)
	return s.MCP, err
}

// AuthSecret is the key with which the page of this state directory signs sessions. It is made when there is none.
func AuthSecret(dir string) (string, error) {
	s, err := loadSecrets(dir)
	return s.Auth, err
}

func loadSecrets(dir string) (secrets, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return secrets{}, err
	}
	// Two commands may be the first at the same time; only one of them makes the secrets.
	lock, err := lockBriefly(secretsPath(dir) + ".lock")
	if err != nil {
		return secrets{}, err
	}
	defer lock.release()

	var s secrets
	text, err := os.ReadFile(secretsPath(dir))
	switch {
	case errors.Is(err, os.ErrNotExist):
	case err != nil:
		return secrets{}, err
	default:
		if err := json.Unmarshal(text, &s); err != nil {
			return secrets{}, fmt.Errorf("%s is damaged (%w); remove it and all tokens are made anew", secretsPath(dir), err)
		}
	}
	complete := true
	for _, field := range []*string{&s.JWT, &s.Dapr, &s.App, &s.MCP, &s.Auth, &s.Database} {
		if len(*field) < 32 {
			*field = rand.Text() + rand.Text()
			complete = false
		}
	}
	// Short enough to be typed; the login is of no use from another machine.
	if len(s.Demo) < 8 {
		s.Demo = strings.ToLower(rand.Text()[:10])
		complete = false
	}
	if complete {
		return s, nil
	}
	text, err = json.MarshalIndent(s, "", "  ")
	if err != nil {
		return secrets{}, err
	}
	return s, writeFile(secretsPath(dir), append(text, '\n'), 0o600)
}
