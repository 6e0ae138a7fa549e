package roles

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"
)

// Check tells how the roles of an installation differ from what Services says, one line each: what a role lacks, what it may do
// too much, in this schema and by whatever way, a membership or PUBLIC included. It writes nothing. Errors as in Apply.
func Check(ctx context.Context, url, prefix string) (differences []string, err error) {
	if err := checkPrefix(prefix); err != nil {
		return nil, err
	}
	err = transaction(ctx, url, func(tx pgx.Tx, _ string) error {
		for _, s := range Services() {
			found, err := check(ctx, tx, s, RoleName(prefix, s.Name))
			if err != nil {
				return err
			}
			differences = append(differences, found...)
		}
		return nil
	})
	return differences, err
}

func check(ctx context.Context, tx pgx.Tx, s Service, role string) ([]string, error) {
	rows, err := tx.Query(ctx, `SELECT rolcanlogin, rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls,
			EXISTS (SELECT FROM pg_auth_members WHERE member = r.oid), EXISTS (SELECT FROM pg_class WHERE relowner = r.oid AND relnamespace = current_schema()::regnamespace)
		FROM pg_roles r WHERE rolname = $1`, role)
	if err != nil {
		return nil, err
	}
	type attributes struct{ Login, Powers, Member, Owner bool }
	found, err := pgx.CollectRows(rows, pgx.RowToStructByPos[attributes])
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return []string{"there is no role " + role}, nil
	}
	var differences []string
	differ := func(is bool, what string) {
		if is {
			differences = append(differences, role+" "+what)
		}
	}
	differ(!found[0].Login, "cannot log in")
	differ(found[0].Powers, "is more than a plain role: superuser, or may make roles or databases, replicate, or pass by row security")
	differ(found[0].Member, "is a member of another role")
	differ(found[0].Owner, "owns tables")
	has, err := privilegesOf(ctx, tx, role)
	if err != nil {
		return nil, err
	}
	want := s.privileges()
	for _, p := range want {
		differ(!slices.Contains(has, p), "lacks "+p)
	}
	for _, p := range has {
		differ(!slices.Contains(want, p), "has "+p+", which it should not")
	}
	return differences, nil
}

// privilegesOf lists what a role may do with tables, columns, functions, the schema and the database, in words as Service.privileges has.
func privilegesOf(ctx context.Context, tx pgx.Tx, role string) ([]string, error) {
	rows, err := tx.Query(ctx, `
		WITH ours AS (
			SELECT oid, relname, relkind FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND NOT EXISTS (
				SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = pg_class.oid AND d.deptype = 'e')
		)
		SELECT p || ' on ' || c.relname FROM ours c, unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER']) p
			WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND has_table_privilege($1::name, c.oid, p)
		UNION ALL
		SELECT p || ' (' || a.attname || ') on ' || c.relname FROM ours c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped,
				unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'REFERENCES']) p
			WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT has_table_privilege($1::name, c.oid, p)
				AND has_column_privilege($1::name, c.oid, a.attnum, p)
		UNION ALL
		SELECT 'EXECUTE on ' || p.proname || '(' || oidvectortypes(p.proargtypes) || ')' FROM pg_proc p
			WHERE p.pronamespace = current_schema()::regnamespace AND has_function_privilege($1::name, p.oid, 'EXECUTE')
				AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')
		UNION ALL
		SELECT p || ' on ' || c.relname FROM ours c, unnest(ARRAY['USAGE', 'UPDATE']) p
			WHERE c.relkind = 'S' AND has_sequence_privilege($1::name, c.oid, p)
		UNION ALL
		SELECT 'CONNECT on the database' WHERE has_database_privilege($1::name, current_database(), 'CONNECT')
		UNION ALL
		SELECT p || ' on the schema' FROM unnest(ARRAY['USAGE', 'CREATE']) p WHERE has_schema_privilege($1::name, current_schema(), p)`, role)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}

// privileges are what privilegesOf should find.
func (s Service) privileges() []string {
	all := []string{"CONNECT on the database", "USAGE on the schema"}
	for table, grant := range s.Tables {
		names, columns := privileges(grant)
		for _, name := range names {
			if name != "UPDATE" || len(columns) == 0 {
				all = append(all, name+" on "+table)
				continue
			}
			for _, c := range columns {
				all = append(all, fmt.Sprintf("UPDATE (%s) on %s", c, table))
			}
		}
	}
	for _, f := range s.Functions {
		all = append(all, "EXECUTE on "+f)
	}
	slices.Sort(all)
	return all
}
