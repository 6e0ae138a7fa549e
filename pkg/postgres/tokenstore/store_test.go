package tokenstore

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/taskflow-suite/taskflow/pkg/auth"
	"github.com/taskflow-suite/taskflow/pkg/config"
	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/postgres"
	"github.com/taskflow-suite/taskflow/pkg/postgres/taskstore"
	"github.com/taskflow-suite/taskflow/pkg/task"
	"github.com/taskflow-suite/taskflow/pkg/testkit"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestTheRowIsAsTheTable(t *testing.T) {
	t.Parallel()
	testkit.SameAsCatalogue(t, testkit.OpenPostgres(t), nil, &row{})
}

var start = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)

// world is a store on a database of its own with the user ada, and a clock that the test moves.
type world struct {
	*Store
	t     *testing.T
	db    *postgres.DB
	tasks *task.Service
	clock atomic.Pointer[time.Time]
}

func open(t *testing.T) *world { return openAt(t, postgres.At(testkit.Postgres(t))) }

func openAt(t *testing.T, c postgres.Config) *world {
	t.Helper()
	db, err := postgres.Open(t.Context(), c)
	must(t, err)
	t.Cleanup(func() { must(t, db.Close()) })
	w := &world{t: t, db: db}
	w.at(start)
	w.Store = New(db, func() time.Time { return *w.clock.Load() })
	w.tasks = task.NewService(taskstore.New(db), time.Now)
	w.welcome("ada")
	return w
}

func (w *world) at(now time.Time) { w.clock.Store(&now) }

func (w *world) welcome(user string) {
	w.t.Helper()
	_, err := w.tasks.Profile(w.t.Context(), user)
	must(w.t, err)
}

func (w *world) made(user, name string, days int) auth.APIToken {
	w.t.Helper()
	token, _, err := auth.NewAPIToken(user, name, auth.Write, days, *w.clock.Load())
	must(w.t, err)
	return token
}

func (w *world) added(user, name string, days int) auth.APIToken {
	w.t.Helper()
	token := w.made(user, name, days)
	must(w.t, w.Add(w.t.Context(), token))
	return token
}

// names are those of a user's tokens, in the order of the list.
func (w *world) names(user string) string {
	w.t.Helper()
	all, err := w.List(w.t.Context(), user)
	must(w.t, err)
	names := ""
	for _, token := range all {
		names += token.Name + " "
	}
	return names
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestATokenComesBackAsItWasKept(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]func(t *testing.T) postgres.Config{
		"directly": func(t *testing.T) postgres.Config { t.Helper(); return postgres.At(testkit.Postgres(t)) },
		"behind a pooler": func(t *testing.T) postgres.Config {
			t.Helper()
			return postgres.Config{URL: config.NewSecret(testkit.Postgres(t)), Pooler: true}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := openAt(t, c(t))
			token := w.added("ada", "Sicherung – 毎日 'x'", 90)
			for range 2 {
				got, err := w.FindAPIToken(t.Context(), token.Hash)
				must(t, err)
				got.LastUsedAt = time.Time{}
				if got != token {
					t.Errorf("kept %+v, found %+v", token, got)
				}
			}
			if _, err := w.FindAPIToken(t.Context(), auth.Hash{1}); !errs.Is(err, errs.NotFound) {
				t.Errorf("another hash: %v", err)
			}
			// Its time is for the verifier to compare.
			w.at(token.ExpiresAt)
			if _, err := w.FindAPIToken(t.Context(), token.Hash); err != nil {
				t.Errorf("expired: %v", err)
			}
		})
	}
}

func TestAListHasAUsersTokensThatCount(t *testing.T) {
	t.Parallel()
	w := open(t)
	w.welcome("eve")
	w.added("ada", "first", 2)
	w.at(start.Add(time.Minute))
	second := w.added("ada", "second", 1)
	w.added("eve", "hers", 1)
	if got := w.names("ada"); got != "second first " {
		t.Errorf("ada has %s", got)
	}
	w.at(second.ExpiresAt)
	if got := w.names("ada"); got != "first " {
		t.Errorf("when the second has expired ada has %s", got)
	}
	if got := w.names("nobody"); got != "" {
		t.Errorf("nobody has %s", got)
	}
}

func TestAUserRevokesTheirOwnTokensOnce(t *testing.T) {
	t.Parallel()
	w := open(t)
	w.welcome("eve")
	kept, gone := w.added("ada", "kept", 1), w.added("ada", "gone", 1)
	must(t, w.Revoke(t.Context(), "ada", gone.ID))
	for what, err := range map[string]error{
		"twice":         w.Revoke(t.Context(), "ada", gone.ID),
		"by another":    w.Revoke(t.Context(), "eve", kept.ID),
		"one not there": w.Revoke(t.Context(), "ada", "0192f0c1-7b3e-7c2a-9d3e-2f6a5b4c3d2e"),
		"no id":         w.Revoke(t.Context(), "ada", "x'; --"),
	} {
		if !errs.Is(err, errs.NotFound) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if _, err := w.FindAPIToken(t.Context(), gone.Hash); !errs.Is(err, errs.NotFound) {
		t.Errorf("the revoked one: %v", err)
	}
	if got := w.names("ada"); got != "kept " {
		t.Errorf("ada has %s", got)
	}
}

func TestOnlySomeCountAtATimeHoweverManyAreMadeAtOnce(t *testing.T) {
	t.Parallel()
	w := open(t)
	for n := range Most - 3 {
		w.added("ada", fmt.Sprint(n), 1+n%2)
	}
	var all sync.WaitGroup
	var added, refused atomic.Int32
	for range 12 {
		token := w.made("ada", "at once", 2)
		all.Go(func() {
			switch err := w.Add(t.Context(), token); {
			case err == nil:
				added.Add(1)
			case errs.Is(err, errs.Conflict):
				refused.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	all.Wait()
	if added.Load() != 3 || refused.Load() != 9 {
		t.Errorf("%d were added and %d refused", added.Load(), refused.Load())
	}
	w.welcome("eve")
	w.added("eve", "another's do not count", 1)
	w.at(start.Add(24 * time.Hour))
	w.added("ada", "when some have expired there is room", 1)
}

func TestUseIsWrittenDownOnceAMinute(t *testing.T) {
	t.Parallel()
	w := open(t)
	token := w.added("ada", "x", 1)
	last := func() time.Time {
		all, err := w.List(t.Context(), "ada")
		must(t, err)
		return all[0].LastUsedAt
	}
	if at := last(); !at.IsZero() {
		t.Errorf("used at %v before it was", at)
	}
	for _, step := range []struct{ now, want time.Duration }{{time.Second, time.Second}, {60 * time.Second, time.Second}, {61 * time.Second, 61 * time.Second}} {
		w.at(start.Add(step.now))
		_, err := w.FindAPIToken(t.Context(), token.Hash)
		must(t, err)
		if at := last(); !at.Equal(start.Add(step.want)) {
			t.Errorf("after %v: used at %v", step.now, at)
		}
	}
}

func TestAFindWaitsForNobody(t *testing.T) {
	t.Parallel()
	w := open(t)
	token := w.added("ada", "x", 1)
	must(t, w.db.Transaction(t.Context(), func(tx *postgres.Tx) error {
		if err := tx.Exec("SELECT 1 FROM api_tokens FOR UPDATE").Error; err != nil {
			return err
		}
		// Sooner than the database would give up waiting for the lock.
		soon, end := context.WithTimeout(t.Context(), 4*time.Second)
		defer end()
		if _, err := w.FindAPIToken(soon, token.Hash); err != nil {
			return err
		}
		return soon.Err()
	}))
}

func TestTokensGoWithTheirUser(t *testing.T) {
	t.Parallel()
	w := open(t)
	w.welcome("eve")
	token := w.added("ada", "x", 1)
	w.added("eve", "hers", 1)
	must(t, w.tasks.Forget(t.Context(), "ada"))
	if _, err := w.FindAPIToken(t.Context(), token.Hash); !errs.Is(err, errs.NotFound) {
		t.Errorf("got %v", err)
	}
	if err := w.Add(t.Context(), w.made("ada", "y", 1)); !errs.Is(err, errs.Unavailable) {
		t.Errorf("without a profile: %v", err)
	}
	if got := w.names("eve"); got != "hers " {
		t.Errorf("eve has %s", got)
	}
}

func TestLiveLeavesOutWhatWasRevokedOrExpired(t *testing.T) {
	t.Parallel()
	w := open(t)
	kept, short, gone := w.added("ada", "kept", 2), w.added("ada", "short", 1), w.added("ada", "gone", 2)
	must(t, w.Revoke(t.Context(), "ada", gone.ID))
	w.at(short.ExpiresAt)
	live, err := w.Live(t.Context(), []string{gone.ID, kept.ID, short.ID})
	must(t, err)
	if len(live) != 1 || live[0] != kept.ID {
		t.Errorf("alive are %v", live)
	}
}

func TestADatabaseThatIsAwayIsUnavailable(t *testing.T) {
	t.Parallel()
	w := open(t)
	token := w.added("ada", "x", 1)
	over, end := context.WithCancel(t.Context())
	end()
	_, found := w.FindAPIToken(over, token.Hash)
	_, listed := w.List(over, "ada")
	_, live := w.Live(over, []string{token.ID})
	for what, err := range map[string]error{
		"find": found, "list": listed, "live": live, "add": w.Add(over, w.made("ada", "y", 1)), "revoke": w.Revoke(over, "ada", token.ID),
	} {
		if !errs.Is(err, errs.Unavailable) {
			t.Errorf("%s: %v", what, err)
		}
	}
}
