package roles

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"net/url"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/taskflow-suite/taskflow/pkg/config"
	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/postgres"
)

// DefaultPrefix is what role names begin with where one server has one installation.
const DefaultPrefix = "taskflow"

// settings hold for a role wherever it comes from, behind a pooler too, where a connection cannot bring its own.
var settings = map[string]string{
	"statement_timeout": "10s", "lock_timeout": "5s", "idle_in_transaction_session_timeout": "30s", "timezone": "UTC",
}

// Apply makes the role of every service, or corrects it, in the schema that the URL's search_path leads to: its privileges are
// then those of Services and no others. The URL is of the schema's owner, who must be allowed to make roles. A role whose
// password is not given keeps the one it has, or cannot log in. Only the hash of a password (SCRAM-SHA-256) leaves this process.
//
// errs.Denied if the URL's role may not do that, errs.Invalid if a prefix or a password cannot be, errs.Unavailable if the database does not answer.
func Apply(ctx context.Context, ownerURL, prefix string, passwords map[string]config.Secret) error {
	if err := checkPrefix(prefix); err != nil {
		return err
	}
	return transaction(ctx, ownerURL, func(tx pgx.Tx, schema string) error {
		// Two at once would stand in each other's way in the catalogue.
		lock := fnv.New32a()
		fmt.Fprint(lock, "taskflow roles ", schema)
		if _, err := tx.Exec(ctx, fmt.Sprintf("SELECT pg_advisory_xact_lock(%d)", lock.Sum32())); err != nil {
			return err
		}
		var statements []string
		for _, name := range Known() {
			kind := "TABLE "
			if strings.HasSuffix(name, ")") {
				kind = "FUNCTION " // which everybody may call at first
			}
			statements = append(statements, "REVOKE ALL ON "+kind+schema+"."+name+" FROM PUBLIC")
		}
		for _, s := range Services() {
			made, err := role(ctx, tx, RoleName(prefix, s.Name), passwords[s.Name])
			if err != nil {
				return err
			}
			statements = append(append(statements, made...), s.grants(schema, RoleName(prefix, s.Name))...)
		}
		for _, statement := range statements {
			if _, err := tx.Exec(ctx, statement); err != nil {
				return err
			}
		}
		for _, s := range Services() {
			if err := connect(ctx, tx, RoleName(prefix, s.Name)); err != nil {
				return err
			}
		}
		return nil
	})
}

// connect lets a role into a database that not everybody may connect to. Where everybody may, nothing is granted: such grants of
// several installations in one database would collide. Who does not own the database is warned that nothing changed, and Check says so.
func connect(ctx context.Context, tx pgx.Tx, role string) error {
	var may bool
	var database string
	err := tx.QueryRow(ctx, "SELECT has_database_privilege($1::name, current_database(), 'CONNECT'), quote_ident(current_database())", role).Scan(&may, &database)
	if err == nil && !may {
		_, err = tx.Exec(ctx, "GRANT CONNECT ON DATABASE "+database+" TO "+quote(role))
	}
	return err
}

func checkPrefix(prefix string) error {
	for _, c := range prefix {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '_' {
			return errs.New(errs.Invalid, "a prefix of roles is made of a-z, 0-9 and _, not %q", prefix)
		}
	}
	if prefix == "" || len(prefix) > 40 {
		return errs.New(errs.Invalid, "a prefix of roles has 1 to 40 letters")
	}
	return nil
}

// transaction runs fn in one transaction; its errors never show the URL.
func transaction(ctx context.Context, ownerURL string, fn func(tx pgx.Tx, schema string) error) error {
	c, err := pgx.ParseConfig(ownerURL)
	if err != nil {
		return errs.New(errs.Invalid, "the database's URL is not one of Postgres")
	}
	c.DefaultQueryExecMode = pgx.QueryExecModeSimpleProtocol // which any pooler passes on
	conn, err := pgx.ConnectConfig(ctx, c)
	if err != nil {
		return postgres.Failure(err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	err = pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		var schema string
		if err := tx.QueryRow(ctx, "SELECT quote_ident(current_schema())").Scan(&schema); err != nil {
			return err
		}
		return fn(tx, schema)
	})
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok && pg.Code == "42501" { // insufficient_privilege
		return errs.Because(err, errs.Denied, "the role of the database's URL may not make roles or grant them what they need: %s", pg.Message)
	}
	return postgres.Failure(err)
}

// role makes a role, if there is none, and returns what corrects it.
func role(ctx context.Context, tx pgx.Tx, name string, password config.Secret) ([]string, error) {
	quoted := quote(name)
	var statements []string
	// Only what differs: no attribute may be named by an owner who has it not.
	rows, err := tx.Query(ctx, `SELECT concat_ws(' ', CASE WHEN NOT rolcanlogin THEN 'LOGIN' END, CASE WHEN rolsuper THEN 'NOSUPERUSER' END,
			CASE WHEN rolcreaterole THEN 'NOCREATEROLE' END, CASE WHEN rolcreatedb THEN 'NOCREATEDB' END,
			CASE WHEN rolreplication THEN 'NOREPLICATION' END, CASE WHEN rolbypassrls THEN 'NOBYPASSRLS' END)
		FROM pg_roles WHERE rolname = $1`, name)
	if err != nil {
		return nil, err
	}
	switch wrong, err := pgx.CollectRows(rows, pgx.RowTo[string]); {
	case err != nil:
		return nil, err
	case len(wrong) == 0:
		statements = append(statements, "CREATE ROLE "+quoted+" LOGIN NOINHERIT")
	case wrong[0] != "":
		statements = append(statements, "ALTER ROLE "+quoted+" "+wrong[0])
	}
	if !password.IsZero() {
		verifier, err := scram(password.Reveal())
		if err != nil {
			return nil, err
		}
		statements = append(statements, "ALTER ROLE "+quoted+" PASSWORD '"+verifier+"'")
	}
	for setting, value := range settings {
		statements = append(statements, fmt.Sprintf("ALTER ROLE %s SET %s = '%s'", quoted, setting, value))
	}
	return statements, nil
}

// grants takes everything in the schema from a role and gives it what the service needs. Nobody sees the time between: it is one
// transaction.
func (s Service) grants(schema, role string) []string {
	role = quote(role)
	statements := []string{
		"REVOKE ALL ON ALL TABLES IN SCHEMA " + schema + " FROM " + role,
		"REVOKE ALL ON ALL SEQUENCES IN SCHEMA " + schema + " FROM " + role,
		"REVOKE ALL ON ALL FUNCTIONS IN SCHEMA " + schema + " FROM " + role,
		"REVOKE ALL ON SCHEMA " + schema + " FROM " + role,
		"GRANT USAGE ON SCHEMA " + schema + " TO " + role,
	}
	for table, grant := range s.Tables {
		statements = append(statements, "GRANT "+grant+" ON "+schema+"."+table+" TO "+role)
	}
	for _, function := range s.Functions {
		statements = append(statements, "GRANT EXECUTE ON FUNCTION "+schema+"."+function+" TO "+role)
	}
	return statements
}

func quote(name string) string { return pgx.Identifier{name}.Sanitize() }

// Logins applies the roles and returns the URL with which each service reaches the database. Errors as in Apply.
func Logins(ctx context.Context, ownerURL, prefix string, password func(service string) string) (map[string]string, error) {
	owner, err := url.Parse(ownerURL)
	if err != nil || owner.Host == "" {
		return nil, errs.New(errs.Invalid, "the database's URL is not one of Postgres")
	}
	passwords, urls := map[string]config.Secret{}, map[string]string{}
	for _, s := range Services() {
		passwords[s.Name] = config.NewSecret(password(s.Name))
		own := *owner
		own.User = url.UserPassword(RoleName(prefix, s.Name), password(s.Name))
		urls[s.Name] = own.String()
	}
	return urls, Apply(ctx, ownerURL, prefix, passwords)
}
