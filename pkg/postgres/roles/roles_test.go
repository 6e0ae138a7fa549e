package roles_test

import (
	"context"
	"crypto/rand"
	"errors"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"go.uber.org/goleak"

	"github.com/taskflow-suite/taskflow/pkg/config"
	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/postgres"
	"github.com/taskflow-suite/taskflow/pkg/postgres/roles"
	"github.com/taskflow-suite/taskflow/pkg/testkit"
	"github.com/taskflow-suite/taskflow/proto"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const password = "a password for tests"

// installation is a migrated schema with its roles, which go with the test.
type installation struct {
	url, prefix string
	owner       *pgx.Conn
}

func install(t *testing.T) installation {
	t.Helper()
	at := testkit.Postgres(t)
	owner := connect(t, at)
	i := installation{url: at, owner: owner}
	must(t, owner.QueryRow(t.Context(), "SELECT current_schema()").Scan(&i.prefix))
	passwords := map[string]config.Secret{}
	for _, s := range roles.Services() {
		passwords[s.Name] = config.NewSecret(password)
	}
	t.Cleanup(func() {
		for _, s := range roles.Services() {
			role := roles.RoleName(i.prefix, s.Name)
			for _, statement := range []string{"DROP OWNED BY " + role, "DROP ROLE " + role} {
				if _, err := owner.Exec(context.Background(), statement); err != nil {
					t.Error(err)
				}
			}
		}
	})
	must(t, roles.Apply(t.Context(), i.url, i.prefix, passwords))
	return i
}

// as is a connection with the role of a service.
func (i installation) as(t *testing.T, service string) *pgx.Conn {
	t.Helper()
	u, err := url.Parse(i.url)
	must(t, err)
	u.User = url.UserPassword(roles.RoleName(i.prefix, service), password)
	return connect(t, u.String())
}

func connect(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	must(t, err)
	t.Cleanup(func() { conn.Close(context.Background()) })
	return conn
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// there lists the tables of the schema and its functions.
func (i installation) there(t *testing.T) (tables, functions []string) {
	t.Helper()
	list := func(query string) []string {
		rows, err := i.owner.Query(t.Context(), query)
		must(t, err)
		all, err := pgx.CollectRows(rows, pgx.RowTo[string])
		must(t, err)
		return all
	}
	return list("SELECT relname::text FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p', 'v', 'm', 'f') ORDER BY 1"),
		list("SELECT proname || '(' || oidvectortypes(proargtypes) || ')' FROM pg_proc WHERE pronamespace = current_schema()::regnamespace ORDER BY 1")
}

func TestRolesComeInWhereNotEverybodyMay(t *testing.T) {
	t.Parallel()
	server, err := url.Parse(testkit.EmptyPostgres(t))
	must(t, err)
	server.RawQuery = "sslmode=disable"
	admin := connect(t, server.String())
	name := "closed_" + strings.ToLower(rand.Text())[:16]
	for _, statement := range []string{"CREATE DATABASE " + name, "REVOKE CONNECT ON DATABASE " + name + " FROM PUBLIC"} {
		_, err := admin.Exec(t.Context(), statement)
		must(t, err)
	}
	t.Cleanup(func() {
		drop := []string{"DROP DATABASE " + name + " WITH (FORCE)"}
		for _, s := range roles.Services() {
			drop = append(drop, "DROP ROLE "+roles.RoleName(name, s.Name))
		}
		for _, statement := range drop {
			if _, err := admin.Exec(context.Background(), statement); err != nil {
				t.Error(err)
			}
		}
	})
	server.Path = "/" + name
	_, err = postgres.Migrate(t.Context(), server.String())
	must(t, err)
	urls, err := roles.Logins(t.Context(), server.String(), name, func(string) string { return password })
	must(t, err)
	for _, at := range urls {
		must(t, connect(t, at).Ping(t.Context()))
	}
	_, err = admin.Exec(t.Context(), "REVOKE CONNECT ON DATABASE "+name+" FROM "+roles.RoleName(name, proto.Notifier))
	must(t, err)
	differences, err := roles.Check(t.Context(), server.String(), name)
	must(t, err)
	if want := roles.RoleName(name, proto.Notifier) + " lacks CONNECT on the database"; !slices.Equal(differences, []string{want}) {
		t.Errorf("found %q, want %q", differences, want)
	}
}

func TestSomebodyHasThoughtOfEveryTableAndFunction(t *testing.T) {
	t.Parallel()
	tables, functions := install(t).there(t)
	there := slices.Sorted(slices.Values(append(tables, functions...)))
	for _, name := range there {
		if !slices.Contains(roles.Known(), name) {
			t.Errorf("nobody has said which service may use %s: say it in roles.Services, or in roles.Closed", name)
		}
	}
	for _, name := range roles.Known() {
		if !slices.Contains(there, name) {
			t.Errorf("%s is not in the schema", name)
		}
	}
}

func TestNoRoleMayDoAnythingThatIsNotInTheTable(t *testing.T) {
	t.Parallel()
	i := install(t)
	tables, functions := i.there(t)
	columns := map[string]string{}
	rows, err := i.owner.Query(t.Context(), "SELECT table_name, min(column_name) FILTER (WHERE is_generated = 'NEVER' AND is_identity = 'NO') FROM information_schema.columns WHERE table_schema = current_schema() GROUP BY 1")
	must(t, err)
	var table, column string
	_, err = pgx.ForEachRow(rows, []any{&table, &column}, func() error { columns[table] = column; return nil })
	must(t, err)
	for _, s := range roles.Services() {
		t.Run(s.Name, func(t *testing.T) {
			conn := i.as(t, s.Name)
			try := func(statement string) error {
				tx, err := conn.Begin(t.Context())
				must(t, err)
				_, err = tx.Exec(t.Context(), statement)
				must(t, tx.Rollback(t.Context()))
				return err
			}
			for _, table := range tables {
				for privilege, statement := range map[string]string{
					"SELECT": "SELECT FROM " + table + " LIMIT 1",
					// Nobody's rows, so that only the right to it is asked for.
					"INSERT":   "INSERT INTO " + table + " (" + columns[table] + ") SELECT NULL WHERE false",
					"UPDATE":   "UPDATE " + table + " SET " + columns[table] + " = DEFAULT WHERE false",
					"DELETE":   "DELETE FROM " + table + " WHERE false",
					"TRUNCATE": "TRUNCATE " + table,
					"ALTER":    "ALTER TABLE " + table + " DISABLE TRIGGER USER",
					"TRIGGER":  "CREATE TRIGGER mine BEFORE INSERT ON " + table + " FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()",
				} {
					granted := strings.Contains(s.Tables[table]+",", privilege+",")
					if got := !denied(try(statement)); got != granted {
						t.Errorf("%s: allowed: %t, in the table: %t", statement, got, granted)
					}
				}
			}
			for _, function := range functions {
				name, types, _ := strings.Cut(strings.TrimSuffix(function, ")"), "(")
				var arguments []string
				for _, of := range strings.Split(types, ", ") {
					if of != "" {
						arguments = append(arguments, "NULL::"+of)
					}
				}
				err := try("SELECT " + name + "(" + strings.Join(arguments, ", ") + ")")
				// A trigger's function cannot be called at all.
				if granted := slices.Contains(s.Functions, function); denied(err) == granted && (err == nil || !strings.Contains(err.Error(), "trigger functions can only")) {
					t.Errorf("%s: %v, in the table: %t", function, err, granted)
				}
			}
			for what, statement := range map[string]string{
				"making a table":                 "CREATE TABLE mine (id int)",
				"making a schema":                "CREATE SCHEMA mine_of_" + i.prefix,
				"becoming another":               "SET ROLE pg_read_all_data",
				"making a role":                  "CREATE ROLE mine_of_" + i.prefix,
				"passing by triggers":            "SET session_replication_role = replica",
				"a tool call's end":              "UPDATE tool_invocations SET input = '{}' WHERE false",
				"a function of the schema":       "CREATE OR REPLACE FUNCTION events_are_immutable() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
				"removing a trigger":             "DROP TRIGGER events_are_immutable ON events",
				"reading the server's passwords": "SELECT * FROM pg_authid",
			} {
				if err := try(statement); !denied(err) {
					t.Errorf("%s: %v", what, err)
				}
			}
		})
	}
}

func denied(err error) bool {
	pg, ok := errors.AsType[*pgconn.PgError](err)
	return ok && pg.Code == "42501"
}

func TestNobodyMayChangeOrDeleteAnEventAndTheNotifierOnlyReads(t *testing.T) {
	t.Parallel()
	for _, s := range roles.Services() {
		for table, grant := range s.Tables {
			if slices.Contains([]string{"events", "messages"}, table) && (strings.Contains(grant, "UPDATE") || strings.Contains(grant, "DELETE")) ||
				table == "sequences" && grant != "SELECT" ||
				table == "tool_invocations" && s.Name != proto.MCPTools || strings.Contains(grant, "TRUNCATE") ||
				s.Name == proto.Notifier && grant != "SELECT" {
				t.Errorf("%s: %s on %s", s.Name, grant, table)
			}
		}
	}
}

func TestWhoMayAppendIsNumberedChainedAndAnnouncedByTheDatabaseWhateverTheSearchPath(t *testing.T) {
	t.Parallel()
	i := install(t)
	conn := i.as(t, proto.Scheduler)
	for _, statement := range []string{
		// What a caller puts into the way of names: the functions must not look there.
		"CREATE TEMPORARY TABLE sequences (user_id text, topic text, value bigint, hash bytea)",
		"CREATE TEMPORARY TABLE outbox (user_id text, event_id uuid)",
		"SET search_path = pg_temp, " + i.prefix,
		`INSERT INTO ` + i.prefix + `.events (id, user_id, topic, type, aggregate_id, version, correlation_id, causation_id, traceparent, occurred_at, data, sequence, hash)
			VALUES (gen_random_uuid(), 'ada', 'tasks.events', 'x', 'x', 1, '', '', '', now(), '{}', 77, 'forged')`,
	} {
		_, err := conn.Exec(t.Context(), statement)
		must(t, err)
	}
	var sequence, length, head, waiting int
	must(t, i.owner.QueryRow(t.Context(), `SELECT e.sequence, octet_length(e.hash), s.value, (SELECT count(*) FROM outbox) FROM events e JOIN sequences s USING (user_id, topic)`).
		Scan(&sequence, &length, &head, &waiting))
	if sequence != 1 || length != 32 || head != 1 || waiting != 1 {
		t.Errorf("sequence %d with a hash of %d bytes, head %d, %d in the outbox", sequence, length, head, waiting)
	}
}

func TestCheckNamesWhatDiffersAndApplyCorrectsIt(t *testing.T) {
	t.Parallel()
	i := install(t)
	check := func() string {
		t.Helper()
		differences, err := roles.Check(t.Context(), i.url, i.prefix)
		must(t, err)
		return strings.Join(differences, "\n")
	}
	if got := check(); got != "" {
		t.Fatalf("at first: %s", got)
	}
	notifier, api := roles.RoleName(i.prefix, proto.Notifier), roles.RoleName(i.prefix, proto.TaskAPI)
	for _, statement := range []string{
		"GRANT UPDATE ON events TO " + notifier, "GRANT INSERT (title) ON tasks TO " + notifier, "REVOKE DELETE ON tasks FROM " + api,
		"GRANT TRUNCATE ON inbox TO PUBLIC", "GRANT EXECUTE ON FUNCTION events_forget(text) TO PUBLIC", "GRANT CREATE ON SCHEMA " + i.prefix + " TO " + notifier,
		"GRANT USAGE ON SEQUENCE outbox_id_seq TO " + notifier,
	} {
		_, err := i.owner.Exec(t.Context(), statement)
		must(t, err)
	}
	got := check()
	for _, want := range []string{
		notifier + " has UPDATE on events", notifier + " has INSERT (title) on tasks", api + " lacks DELETE on tasks", notifier + " has TRUNCATE on inbox",
		notifier + " has EXECUTE on events_forget(text)", notifier + " has CREATE on the schema", notifier + " has USAGE on outbox_id_seq",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("says %s, and not %q", got, want)
		}
	}
	must(t, roles.Apply(t.Context(), i.url, i.prefix, nil))
	if got := check(); got != "" {
		t.Errorf("after applying once more: %s", got)
	}
	i.as(t, proto.Notifier) // its password is what it was
	_, err := i.owner.Exec(t.Context(), "ALTER ROLE "+notifier+" CREATEROLE BYPASSRLS NOLOGIN")
	must(t, err)
	if got := check(); !strings.Contains(got, notifier+" cannot log in") || !strings.Contains(got, "more than a plain role") {
		t.Errorf("says %s", got)
	}
	must(t, roles.Apply(t.Context(), i.url, i.prefix, nil))
	if got := check(); got != "" {
		t.Errorf("in the end: %s", got)
	}
	if differences, err := roles.Check(t.Context(), i.url, "nobody"); err != nil || len(differences) != len(roles.Services()) {
		t.Errorf("without roles: %v %v", differences, err)
	}
}

func TestAnOwnerWhoMayNotMakeRolesIsToldSo(t *testing.T) {
	t.Parallel()
	i := install(t)
	u, err := url.Parse(i.url)
	must(t, err)
	u.User = url.UserPassword(roles.RoleName(i.prefix, proto.TaskAPI), password)
	err = roles.Apply(t.Context(), u.String(), "other_"+i.prefix, nil)
	if !errs.Is(err, errs.Denied) || strings.Contains(err.Error(), password) {
		t.Errorf("says %v", err)
	}
}

func TestAPasswordThatCannotBeIsRefusedAndNotShown(t *testing.T) {
	t.Parallel()
	i := install(t)
	for _, bad := range []string{"short", "long enough, but not of ASCII: ü", "'; DROP TABLE events; --\x00 and so on"} {
		err := roles.Apply(t.Context(), i.url, i.prefix, map[string]config.Secret{proto.Notifier: config.NewSecret(bad)})
		if !errs.Is(err, errs.Invalid) || strings.Contains(err.Error(), bad) {
			t.Errorf("says %v", err)
		}
	}
	for _, bad := range []string{"", "Robert'); --", strings.Repeat("x", 41)} {
		if err := roles.Apply(t.Context(), i.url, bad, nil); !errs.Is(err, errs.Invalid) {
			t.Errorf("prefix %q: %v", bad, err)
		}
	}
}
