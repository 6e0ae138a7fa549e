package auth

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/taskflow-suite/taskflow/pkg/config"
	"github.com/taskflow-suite/taskflow/pkg/errs"
)

// shelf is a keeper in memory that can be slow and can fail.
type shelf struct {
	mu     sync.Mutex
	tokens map[Hash]APIToken
	err    error
	asked  atomic.Int32
	now    atomic.Int32 // questions at this moment
	most   atomic.Int32 // of them at a time
	delay  time.Duration
}

func (s *shelf) FindAPIToken(ctx context.Context, hash Hash) (APIToken, error) {
	s.asked.Add(1)
	if n := s.now.Add(1); n > s.most.Load() {
		s.most.Store(n)
	}
	defer s.now.Add(-1)
	s.mu.Lock()
	token, ok := s.tokens[hash]
	err := s.err
	s.mu.Unlock()
	if s.delay > 0 {
		select {
		case <-time.After(s.delay):
		case <-ctx.Done():
			return APIToken{}, ctx.Err()
		}
	}
	if err == nil && !ok {
		err = errs.New(errs.NotFound, "no such token")
	}
	return token, err
}

func (s *shelf) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.err = err
}

func (s *shelf) revoke(raw string) {
	hash, _ := hashOf(raw)
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.tokens, hash)
}

// give makes a token that is kept and returns its secret.
func (s *shelf) give(t *testing.T, user string, scope Scope, days int) string {
	t.Helper()
	token, raw, err := NewAPIToken(user, "a script", scope, days, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tokens[token.Hash] = token
	return raw.Reveal()
}

// withShelf runs a test in a bubble of time of its own, with a verifier that asks a shelf.
func withShelf(t *testing.T, test func(*testing.T, *shelf, *Verifier)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := &shelf{tokens: map[Hash]APIToken{}}
		v, err := New(Config{Secret: config.NewSecret(secret)}, WithAPITokens(s))
		if err != nil {
			t.Fatal(err)
		}
		test(t, s, v)
	})
}

func counts(t *testing.T, v *Verifier, raw string, want error) {
	t.Helper()
	if _, err := v.Verify(t.Context(), raw); !errors.Is(err, want) {
		t.Errorf("got %v, want %v", err, want)
	}
}

func TestAPITokens(t *testing.T) {
	t.Parallel()
	t.Run("a token says whose it is, what it may do and how long", func(t *testing.T) {
		t.Parallel()
		withShelf(t, func(t *testing.T, s *shelf, v *Verifier) {
			for _, scope := range []Scope{Read, Write} {
				got, err := v.Verify(t.Context(), s.give(t, "alice", scope, 3))
				if err != nil || got.Subject != "alice" || got.Scope != scope || got.TokenID == "" || !got.Expires.Equal(time.Now().Add(72*time.Hour)) {
					t.Errorf("got %+v, %v", got, err)
				}
			}
			session, err := v.Verify(t.Context(), craft(dict{"alg": "HS256"}, claims(), hs256(secret)))
			if err != nil || session.Scope != Session || session.TokenID != "" {
				t.Errorf("beside it a session is %+v, %v", session, err)
			}
		})
	})
	t.Run("one that is not well formed is refused without asking", func(t *testing.T) {
		t.Parallel()
		withShelf(t, func(t *testing.T, s *shelf, v *Verifier) {
			good := s.give(t, "alice", Read, 1)
			for _, raw := range []string{
				"tfk_", good[:len(good)-1], good + "A", good + "=", good + " ", strings.ToUpper(good[:4]) + good[4:],
				good[:10] + "+" + good[11:], good[:10] + "\n" + good[11:], good[:len(good)-1] + "_",
				"tfk_\n" + strings.Repeat("A", len(good)-len("tfk_\n")), "tfk_" + strings.Repeat("x", maxToken),
			} {
				counts(t, v, raw, ErrInvalidToken)
			}
			if n := s.asked.Load(); n != 0 {
				t.Errorf("asked %d times", n)
			}
		})
	})
	t.Run("without a keeper none counts, and a session does", func(t *testing.T) {
		t.Parallel()
		v, err := New(Config{Secret: config.NewSecret(secret)})
		if err != nil {
			t.Fatal(err)
		}
		_, raw, err := NewAPIToken("alice", "x", Write, 1, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := v.Verify(t.Context(), raw.Reveal()); !errors.Is(err, ErrInvalidToken) || !strings.Contains(errs.Text(err), "signed-in session, as the chat does") {
			t.Errorf("got %v", err)
		}
		v.ForgetAPITokens("alice")
		counts(t, v, craft(dict{"alg": "HS256"}, claims(), hs256(secret)), nil)
	})
	t.Run("a revoked one stops within ten seconds of the last answer, and at once where it is told", func(t *testing.T) {
		t.Parallel()
		withShelf(t, func(t *testing.T, s *shelf, v *Verifier) {
			told, untold, bobs := s.give(t, "alice", Write, 1), s.give(t, "carol", Write, 1), s.give(t, "bob", Write, 1)
			for _, raw := range []string{told, untold, bobs} {
				counts(t, v, raw, nil)
			}
			<-time.After(10*time.Second - time.Nanosecond)
			for _, raw := range []string{told, untold, bobs} {
				counts(t, v, raw, nil)
				s.revoke(raw)
			}
			if n := s.asked.Load(); n != 3 {
				t.Errorf("asked %d times for three tokens", n)
			}
			v.ForgetAPITokens("alice")
			counts(t, v, told, ErrInvalidToken)
			counts(t, v, untold, nil)
			<-time.After(time.Nanosecond)
			counts(t, v, untold, ErrInvalidToken)
			counts(t, v, bobs, ErrInvalidToken)
		})
	})
	t.Run("an answer to a question from before a revocation is not remembered", func(t *testing.T) {
		t.Parallel()
		withShelf(t, func(t *testing.T, s *shelf, v *Verifier) {
			raw := s.give(t, "alice", Write, 1)
			s.delay = time.Second
			var asking sync.WaitGroup
			asking.Go(func() { counts(t, v, raw, nil) })
			synctest.Wait()
			s.revoke(raw)
			v.ForgetAPITokens("alice")
			asking.Wait()
			counts(t, v, raw, ErrInvalidToken)
		})
	})
	t.Run("it expires to the moment, remembered or not", func(t *testing.T) {
		t.Parallel()
		withShelf(t, func(t *testing.T, s *shelf, v *Verifier) {
			raw := s.give(t, "alice", Read, 1)
			<-time.After(24*time.Hour - time.Millisecond)
			counts(t, v, raw, nil)
			<-time.After(time.Millisecond)
			counts(t, v, raw, ErrInvalidToken)
			<-time.After(believed)
			counts(t, v, raw, ErrInvalidToken)
		})
	})
	t.Run("a keeper that cannot say makes tokens unverifiable, not invalid, and the remembered ones serve their time", func(t *testing.T) {
		t.Parallel()
		withShelf(t, func(t *testing.T, s *shelf, v *Verifier) {
			raw := s.give(t, "alice", Read, 1)
			counts(t, v, raw, nil)
			for _, failure := range []error{errs.New(errs.Unavailable, "the database does not answer"), errors.New("a broken query")} {
				s.fail(failure)
				if _, err := v.Verify(t.Context(), s.give(t, "bob", Read, 1)); !errs.Is(err, errs.Unavailable) || errors.Is(err, ErrInvalidToken) || strings.Contains(errs.Text(err), "query") {
					t.Errorf("got %v", err)
				}
			}
			counts(t, v, raw, nil)
			<-time.After(believed)
			if _, err := v.Verify(t.Context(), raw); !errs.Is(err, errs.Unavailable) {
				t.Errorf("got %v", err)
			}
			s.fail(nil)
			counts(t, v, raw, nil)
		})
	})
	t.Run("strangers cannot fill the memory or take more than their turns", func(t *testing.T) {
		t.Parallel()
		withShelf(t, func(t *testing.T, s *shelf, v *Verifier) {
			raw := s.give(t, "alice", Read, 1)
			counts(t, v, raw, nil)
			s.delay = time.Millisecond
			var strangers sync.WaitGroup
			for range maxRefused + 500 {
				_, made, err := NewAPIToken("eve", "x", Write, 1, time.Now())
				if err != nil {
					t.Fatal(err)
				}
				strangers.Go(func() { counts(t, v, made.Reveal(), ErrInvalidToken) })
			}
			strangers.Wait()
			if good, refused := v.apiTokens.good.Len(), v.apiTokens.refused.Len(); good != 1 || refused != maxRefused {
				t.Errorf("%d good and %d refused are remembered", good, refused)
			}
			if n := s.most.Load(); n != maxLookups {
				t.Errorf("%d questions at a time", n)
			}
			before := s.asked.Load()
			counts(t, v, raw, nil)
			if s.asked.Load() != before {
				t.Error("the strangers pushed a good token out")
			}
		})
	})
	t.Run("a script's requests are one question in ten seconds, and so are those of one that does not count", func(t *testing.T) {
		t.Parallel()
		withShelf(t, func(t *testing.T, s *shelf, v *Verifier) {
			s.delay = time.Second
			good, bad := s.give(t, "alice", Read, 1), s.give(t, "bob", Read, 1)
			s.revoke(bad)
			for raw, want := range map[string]error{good: nil, bad: ErrInvalidToken} {
				counts(t, v, raw, want)
				for range 100 {
					counts(t, v, raw, want)
				}
			}
			if n := s.asked.Load(); n != 2 {
				t.Errorf("asked %d times", n)
			}
		})
	})
	t.Run("who cannot wait for a turn is told that nobody can say", func(t *testing.T) {
		t.Parallel()
		withShelf(t, func(t *testing.T, s *shelf, v *Verifier) {
			s.delay = time.Minute
			var slow sync.WaitGroup
			for range maxLookups {
				raw := s.give(t, "alice", Read, 1)
				slow.Go(func() { counts(t, v, raw, nil) })
			}
			synctest.Wait()
			impatient, leave := context.WithTimeout(t.Context(), time.Second)
			defer leave()
			if _, err := v.Verify(impatient, s.give(t, "bob", Read, 1)); !errs.Is(err, errs.Unavailable) {
				t.Errorf("got %v", err)
			}
			slow.Wait()
		})
	})
	t.Run("a keeper that answers with something else is not believed", func(t *testing.T) {
		t.Parallel()
		withShelf(t, func(t *testing.T, s *shelf, v *Verifier) {
			for what, change := range map[string]func(*APIToken){
				"another token": func(a *APIToken) { a.Hash[0]++ }, "nobody's": func(a *APIToken) { a.UserID = "" },
				"one that may do everything": func(a *APIToken) { a.Scope = Session }, "one for nothing": func(a *APIToken) { a.Scope = Nothing },
			} {
				raw := s.give(t, "alice", Read, 1)
				hash, _ := hashOf(raw)
				token := s.tokens[hash]
				change(&token)
				s.tokens[hash] = token
				if got, err := v.Verify(t.Context(), raw); !errors.Is(err, ErrInvalidToken) {
					t.Errorf("%s: %+v, %v", what, got, err)
				}
			}
		})
	})
}

func TestNewAPIToken(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 23, 9, 0, 0, 1_900_000, time.UTC)
	token, raw, err := NewAPIToken("alice", "  nightly backup ", Write, 365, now)
	if err != nil {
		t.Fatal(err)
	}
	if token.Name != "nightly backup" || token.CreatedAt.Nanosecond() != 1_000_000 || token.ExpiresAt.Sub(token.CreatedAt) != 365*24*time.Hour {
		t.Errorf("made %+v", token)
	}
	if hash, ok := hashOf(raw.Reveal()); !ok || hash != token.Hash || len(raw.Reveal()) != 4+43 || !strings.HasPrefix(raw.Reveal(), "tfk_") {
		t.Error("the secret is not the token's")
	}
	if strings.Contains(raw.String(), "tfk_") {
		t.Error("the secret prints itself")
	}
	if _, other, err := NewAPIToken("alice", "x", Read, 1, now); err != nil || other.Reveal() == raw.Reveal() {
		t.Errorf("twice the same: %v", err)
	}
	for what, c := range map[string]struct {
		name  string
		scope Scope
		days  int
		wrong string
	}{
		"no name":                  {" ", Read, 1, "name"},
		"a name too long":          {strings.Repeat("é", 101), Read, 1, "name"},
		"a name of two lines":      {"a\nb", Read, 1, "name"},
		"a name that is no text":   {"a\xff", Read, 1, "name"},
		"a scope of sessions":      {"a", Session, 1, "scope"},
		"no scope":                 {"a", Nothing, 1, "scope"},
		"no time":                  {"a", Read, 0, "expires_in_days"},
		"more than a year of time": {"a", Read, 366, "expires_in_days"},
	} {
		_, raw, err := NewAPIToken("alice", c.name, c.scope, c.days, now)
		if f := errs.Fields(err); len(f) != 1 || f[0].Field != c.wrong || !raw.IsZero() {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestScopes(t *testing.T) {
	t.Parallel()
	all := []Scope{Nothing, Read, Write, Session}
	for i, has := range all {
		for j, need := range all {
			err := Claims{Scope: has}.May(need)
			if (err == nil) != (i >= j) || err != nil && (!errs.Is(err, errs.Denied) || errors.Is(err, ErrInvalidToken)) {
				t.Errorf("%v where %v is needed: %v", has, need, err)
			}
		}
		got, ok := ParseScope(has.String())
		if want := has == Read || has == Write; ok != want || want && got != has {
			t.Errorf("%v is parsed as %v, %v", has, got, ok)
		}
	}
}
