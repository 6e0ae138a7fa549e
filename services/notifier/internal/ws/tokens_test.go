package ws_test

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/taskflow-suite/taskflow/pkg/auth"
	"github.com/taskflow-suite/taskflow/pkg/config"
	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/services/notifier/internal/ws"
)

// shelf keeps API tokens in memory.
type shelf struct {
	mu     sync.Mutex
	tokens map[auth.Hash]auth.APIToken
	away   bool
	// asked has the number of ids of each question about open connections.
	asked []int
	// meanwhile happens while such a question is being answered.
	meanwhile func()
}

func (s *shelf) FindAPIToken(_ context.Context, hash auth.Hash) (auth.APIToken, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	token, ok := s.tokens[hash]
	switch {
	case s.away:
		return auth.APIToken{}, errs.New(errs.Unavailable, "the database does not answer")
	case !ok:
		return auth.APIToken{}, errs.New(errs.NotFound, "no such token")
	}
	return token, nil
}

func (s *shelf) Live(_ context.Context, ids []string) (live []string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.away {
		return nil, errs.New(errs.Unavailable, "the database does not answer")
	}
	s.asked = append(s.asked, len(ids))
	if s.meanwhile != nil {
		s.meanwhile()
	}
	for _, id := range ids {
		for _, token := range s.tokens {
			if token.ID == id {
				live = append(live, id)
			}
		}
	}
	return live, nil
}

func (s *shelf) change(fn func(*shelf)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	fn(s)
}

// give makes a token and how to revoke it.
func (s *shelf) give(t *testing.T, user string, scope auth.Scope) (raw string, revoke func()) {
	t.Helper()
	token, secret, err := auth.NewAPIToken(user, "a script", scope, 1, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	s.change(func(s *shelf) { s.tokens[token.Hash] = token })
	return secret.Reveal(), func() { s.change(func(s *shelf) { delete(s.tokens, token.Hash) }) }
}

// withTokens runs a test in fake time with a door that takes API tokens.
func withTokens(t *testing.T, test func(t *testing.T, w *world, s *shelf)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := &shelf{tokens: map[auth.Hash]auth.APIToken{}}
		verifier, err := auth.New(auth.Config{Secret: config.NewSecret(secret)}, auth.WithAPITokens(s))
		if err != nil {
			t.Fatal(err)
		}
		test(t, open(t, settings{listener: newPipes(), door: ws.Options{Verifier: verifier, Tokens: s}}), s)
	})
}

func TestAnAPITokenOpensAConnectionWhicheverWayItComes(t *testing.T) {
	t.Parallel()
	withTokens(t, func(t *testing.T, w *world, s *shelf) {
		read, _ := s.give(t, "ann", auth.Read)
		write, _ := s.give(t, "ann", auth.Write)
		for _, token := range []string{read, write} {
			w.client(path("ann", ""), bearer(token)).wants("hello")
			w.client(path("ann", "?token="+token), nil).wants("hello")
			c := w.client(path("ann", ""), nil)
			c.say(fmt.Sprintf(`{"type":"auth","token":%q}`, token))
			c.wants("auth")
			c.wants("hello")
		}
		for what, c := range map[string]struct {
			user, query string
			header      http.Header
			want        ws.Code
		}{
			"in the cookie":           {"ann", "", http.Header{"Cookie": {"taskflow_token=" + read}}, ws.BadToken},
			"of another user":         {"bob", "", bearer(write), ws.WrongUser},
			"that nobody knows":       {"ann", "?token=" + read[:len(read)-5] + "AAAAA", nil, ws.BadToken},
			"that is not well formed": {"ann", "?token=tfk_x", nil, ws.BadToken},
		} {
			if code := w.client(path(c.user, c.query), c.header).code(); code != c.want.Number {
				t.Errorf("one %s: code %d", what, code)
			}
		}
		s.change(func(s *shelf) { s.away = true })
		fresh, _ := s.give(t, "ann", auth.Read)
		if code := w.client(path("ann", ""), bearer(fresh)).code(); code != ws.Failed.Number {
			t.Errorf("one that nobody can look up: code %d", code)
		}
	})
}

func TestARevokedTokensConnectionsAreClosedWithinTenSecondsAndNoOthers(t *testing.T) {
	t.Parallel()
	withTokens(t, func(t *testing.T, w *world, s *shelf) {
		doomed, revoke := s.give(t, "ann", auth.Read)
		kept, _ := s.give(t, "ann", auth.Read)
		first, second := w.client(path("ann", ""), bearer(doomed)), w.client(path("ann", "?token="+doomed), nil)
		other, session := w.client(path("ann", ""), bearer(kept)), ann(t, w)
		// It has shown a session since.
		changed := w.client(path("ann", ""), bearer(doomed))
		for _, c := range []*client{first, second, other, changed} {
			c.wants("hello")
		}
		changed.say(fmt.Sprintf(`{"type":"auth","token":%q}`, mint(t, "ann", time.Hour)))
		changed.wants("auth")
		<-time.After(time.Minute)

		revoked := time.Now()
		revoke()
		for _, c := range []*client{first, second} {
			if code := c.code(); code != ws.TokenExpired.Number {
				t.Errorf("code %d", code)
			}
		}
		if took := time.Since(revoked); took > 10*time.Second {
			t.Errorf("it took %v", took)
		}
		if code := w.client(path("ann", ""), bearer(doomed)).code(); code != ws.BadToken.Number {
			t.Errorf("coming back: code %d", code)
		}
		w.publish("ann", 1)
		for _, c := range []*client{other, session, changed} {
			c.events(1, 1)
		}
	})
}

func TestAConnectionThatShowsAnotherTokenJustThenStays(t *testing.T) {
	t.Parallel()
	withTokens(t, func(t *testing.T, w *world, s *shelf) {
		doomed, revoke := s.give(t, "ann", auth.Read)
		c := w.client(path("ann", ""), bearer(doomed))
		c.wants("hello")
		s.change(func(s *shelf) {
			s.meanwhile = sync.OnceFunc(func() {
				c.say(fmt.Sprintf(`{"type":"auth","token":%q}`, mint(t, "ann", time.Hour)))
				c.wants("auth")
			})
		})
		revoke()
		<-time.After(time.Minute)
		w.publish("ann", 1)
		c.events(1, 1)
	})
}

func TestOpenConnectionsOutliveADatabaseThatCannotSayWhatTheirTokensAre(t *testing.T) {
	t.Parallel()
	withTokens(t, func(t *testing.T, w *world, s *shelf) {
		token, revoke := s.give(t, "ann", auth.Read)
		c := w.client(path("ann", ""), bearer(token))
		c.wants("hello")
		s.change(func(s *shelf) { s.away = true })
		<-time.After(time.Minute)
		w.publish("ann", 1)
		c.events(1, 1)
		revoke()
		s.change(func(s *shelf) { s.away = false })
		if code := c.code(); code != ws.TokenExpired.Number {
			t.Errorf("code %d", code)
		}
	})
}

func TestAnAPITokensConnectionEndsWhenItExpires(t *testing.T) {
	t.Parallel()
	withTokens(t, func(t *testing.T, w *world, s *shelf) {
		token, _ := s.give(t, "ann", auth.Read)
		expires := time.Now().Add(24 * time.Hour)
		// So near the end that nothing else ends it before.
		<-time.After(24*time.Hour - time.Minute)
		c := w.client(path("ann", ""), bearer(token))
		c.wants("hello")
		if code := c.code(); code != ws.TokenExpired.Number || time.Now().Before(expires) || time.Since(expires) > time.Second {
			t.Errorf("code %d, %v after it expired", code, time.Since(expires))
		}
	})
}

func TestOneQuestionIsAskedForManyConnectionsAndNoneForSessions(t *testing.T) {
	t.Parallel()
	withTokens(t, func(t *testing.T, w *world, s *shelf) {
		ann(t, w)
		<-time.After(time.Minute)
		s.change(func(s *shelf) {
			if len(s.asked) != 0 {
				t.Errorf("asked %v for a session", s.asked)
			}
		})
		one, _ := s.give(t, "bob", auth.Read)
		two, _ := s.give(t, "bob", auth.Write)
		for range 10 {
			w.client(path("bob", ""), bearer(one)).wants("hello")
			w.client(path("bob", ""), bearer(two)).wants("hello")
		}
		<-time.After(11 * time.Second)
		s.change(func(s *shelf) {
			if len(s.asked) != 2 || s.asked[0] != 2 || s.asked[1] != 2 {
				t.Errorf("asked for %v tokens", s.asked)
			}
		})
	})
}
