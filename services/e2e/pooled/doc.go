// Package pooled holds no code: its tests run the suite behind PgBouncer in transaction mode, as behind Neon's pooler, and
// take sessions, server and pooler away from it while people use it. They are built with the tag "pooled" only, because they
// need the program pgbouncer; `make test-pooled` runs them, after the whole end-to-end suite behind the same pooler.
package pooled
