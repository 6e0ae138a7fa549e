package stack

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"github.com/taskflow-suite/taskflow/pkg/errs"
)

// Roles makes the database's roles, whose names begin with prefix, and returns the URL of each app that has one. password is
// that of an app's role, always the same for a state directory. errs.Denied if the URL's role may not make roles.
type Roles func(ctx context.Context, databaseURL, prefix string, password func(app string) string) (urls map[string]string, err error)

// makeRoles has every service log in as itself, where the database allows it.
func (s *Stack) makeRoles(ctx context.Context) error {
	if s.o.Roles == nil {
		return nil
	}
	prefix := databaseUser
	if s.postgres == nil {
		// Somebody else's server may have roles of other stacks.
		prefix += "_" + shortHash(s.dir)
	}
	urls, err := s.o.Roles(ctx, s.databaseURL, prefix, s.secrets.password)
	if errs.Is(err, errs.Denied) {
		s.out.say("the services use the role of DATABASE_URL: it may not make one for each (%v)", err)
		return nil
	}
	if err != nil {
		return fmt.Errorf("make the database's roles: %w", err)
	}
	s.roleURLs = urls
	return nil
}

// password of an app's role follows from the one secret.
func (s secrets) password(app string) string {
	mac := hmac.New(sha256.New, []byte(s.Database))
	mac.Write([]byte(app))
	return hex.EncodeToString(mac.Sum(nil))
}

// database is the URL that an app reaches the database with, the owner's if it has no role of its own.
func (w world) database(app string) string {
	if url, ok := w.roleURLs[app]; ok {
		return url
	}
	return w.databaseURL
}
