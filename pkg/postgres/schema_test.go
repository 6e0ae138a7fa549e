package postgres_test

import (
	"context"
	"net/url"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/postgres"
	"github.com/taskflow-suite/taskflow/pkg/testkit"
)

func schemaOf(t *testing.T, url string) postgres.Schema {
	t.Helper()
	s, err := postgres.SchemaOf(t.Context(), url)
	must(t, err)
	return s
}

func TestLookingAtASchemaTellsWhatIsPendingAndWritesNothing(t *testing.T) {
	t.Parallel()
	url := testkit.EmptyPostgres(t)
	before := schemaOf(t, url)
	if before.At != 0 || before.Pending < 2 || before.Newer() {
		t.Errorf("an empty schema is %+v", before)
	}
	var relations int
	must(t, connect(t, url).QueryRow(t.Context(),
		"SELECT count(*) FROM pg_class WHERE relnamespace = current_schema()::regnamespace").Scan(&relations))
	if relations != 0 {
		t.Errorf("looking made %d relations", relations)
	}
	applied, err := postgres.Migrate(t.Context(), url)
	must(t, err)
	if after := schemaOf(t, url); applied != before.Pending || after.Pending != 0 || after.At != before.Expected || after.Newer() {
		t.Errorf("%d migrations later the schema is %+v", applied, after)
	}
}

func TestASchemaOfANewerProgramIsLeftAsItIs(t *testing.T) {
	t.Parallel()
	url := testkit.Postgres(t)
	newest := schemaOf(t, url).Expected + 1
	conn := connect(t, url)
	for _, statement := range []string{
		"ALTER TABLE tasks ADD COLUMN of_a_newer_program text NOT NULL DEFAULT ''",
		"CREATE TABLE of_a_newer_program (id int)",
	} {
		_, err := conn.Exec(t.Context(), statement)
		must(t, err)
	}
	_, err := conn.Exec(t.Context(), "INSERT INTO goose_db_version (version_id, is_applied) VALUES ($1, true)", newest)
	must(t, err)

	applied, err := postgres.Migrate(t.Context(), url)
	must(t, err)
	if s := schemaOf(t, url); applied != 0 || s.Pending != 0 || !s.Newer() || s.At != newest {
		t.Errorf("%d applied, and the schema is %+v", applied, s)
	}
}

func TestASchemaThatMayNotBeReadIsDeniedInWords(t *testing.T) {
	t.Parallel()
	owner := testkit.Postgres(t)
	// A role of the server belongs to no schema: it goes with the test.
	admin := connect(t, owner)
	var schema string
	must(t, admin.QueryRow(t.Context(), "SELECT current_schema()").Scan(&schema))
	role, password := "reader_"+schema, "a password nobody should see"
	_, err := admin.Exec(t.Context(), "CREATE ROLE "+role+" LOGIN PASSWORD '"+password+"'")
	must(t, err)
	_, err = admin.Exec(t.Context(), "GRANT USAGE ON SCHEMA "+schema+" TO "+role)
	must(t, err)
	t.Cleanup(func() {
		for _, statement := range []string{"DROP OWNED BY " + role, "DROP ROLE " + role} {
			if _, err := admin.Exec(context.Background(), statement); err != nil {
				t.Error(err)
			}
		}
	})
	reader, err := url.Parse(owner)
	must(t, err)
	reader.User = url.UserPassword(role, password)

	_, err = postgres.SchemaOf(t.Context(), reader.String())
	if !errs.Is(err, errs.Denied) || !strings.Contains(err.Error(), "goose_db_version") || strings.Contains(err.Error(), password) {
		t.Errorf("says %v", err)
	}
	_, err = admin.Exec(t.Context(), "GRANT SELECT ON goose_db_version TO "+pgx.Identifier{role}.Sanitize())
	must(t, err)
	if s := schemaOf(t, reader.String()); s.Pending != 0 {
		t.Errorf("to a role that reads, the schema is %+v", s)
	}
}

func TestADatabaseThatIsAwayIsUnavailableAndItsURLStaysSecret(t *testing.T) {
	t.Parallel()
	for name, url := range map[string]string{
		"nobody listens":  "postgres://ann:hunter2@127.0.0.1:1/tasks",
		"it is no URL":    "postgres://ann:hunter2@%zz",
		"it is of a file": "ann:hunter2",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := postgres.SchemaOf(t.Context(), url)
			if err == nil || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("says %v", err)
			}
			if strings.Contains(url, "127.0.0.1") && !errs.Is(err, errs.Unavailable) {
				t.Errorf("says %v", err)
			}
		})
	}
}
