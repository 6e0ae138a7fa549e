// Package roles gives every service a database role of its own that may do what the service does and nothing else.
//
// It owns which service may do what with which table and function (Services), and brings a server to that (Apply) or tells how
// it differs (Check). It refuses to make up passwords and to show them. What the roles may not do themselves, numbering events,
// forgetting a user and sweeping tool calls, functions of the schema's owner do for them: see migrations/0007_audit.sql.
package roles

import (
	"maps"
	"slices"
	"strings"

	"github.com/taskflow-suite/taskflow/proto"
)

// Service is what the role of one service may do.
type Service struct {
	// Name is the service's, of which the role's is made.
	Name string
	// Tables has, by table, what the role may do with it: privileges as in GRANT, an UPDATE perhaps of some columns only.
	Tables map[string]string
	// Functions are those that the role may call, as in GRANT.
	Functions []string
}

const (
	read   = "SELECT"
	write  = "SELECT, INSERT, UPDATE"
	all    = "SELECT, INSERT, UPDATE, DELETE"
	record = "SELECT, INSERT"
)

// take publishes what waits in the outbox.
const take = "outbox_take(integer, integer, integer)"

// Services lists the services that know the database. A service that is not here has no role. Nobody may change or delete an
// event, nor what a conversation says; nobody but mcp-tools writes down how a tool call ended.
func Services() []Service {
	return []Service{
		{proto.TaskAPI, map[string]string{
			"events": record, "sequences": read, "outbox": "SELECT, DELETE", "outbox_shards": "SELECT, UPDATE",
			"profiles": all, "tasks": all, "series": write, "alarms": all, "idempotency": all, "api_tokens": all,
			// What is deleted here is swept: it has run out.
			"inbox": "SELECT, DELETE", "runs": "SELECT, DELETE",
			migrations: read,
		}, []string{take, "events_forget(text)", "tool_invocations_sweep(timestamp with time zone, integer)"}},
		{proto.MCPTools, map[string]string{
			"events": record, "sequences": read, "outbox": "SELECT, DELETE", "outbox_shards": "SELECT, UPDATE",
			"profiles": write, "tasks": write, "series": write, "alarms": all, "idempotency": write,
			"conversations": write, "messages": record, "runs": write,
			"tool_invocations": "SELECT, INSERT, UPDATE (outcome, result, duration_ms)",
			"api_tokens":       "SELECT, UPDATE (last_used_at)",
			"inbox":            record, "dead_letters": all,
			migrations: read,
		}, []string{take}},
		{proto.Scheduler, map[string]string{
			"events": record, "sequences": read, "outbox": "SELECT, DELETE", "outbox_shards": "SELECT, UPDATE",
			"profiles": "SELECT, UPDATE", "tasks": write, "series": write, "alarms": all,
			"inbox": record, "dead_letters": all,
			migrations: read,
		}, []string{take}},
		{proto.Notifier, map[string]string{
			"events": read, "sequences": read, "api_tokens": read, migrations: read,
		}, nil},
	}
}

// migrations is where the schema says how far it is.
const migrations = "goose_db_version"

// Closed are the tables and functions that no service has anything to do with, besides those that Services names: what the
// owner's functions and triggers use.
func Closed() []string {
	return []string{
		"event_digest(uuid, text, text, text, text, integer, text, text, text, timestamp with time zone, json)",
		"dead_letters_forget()", "events_are_immutable()", "events_are_numbered_and_announced()", "events_leave_a_tombstone()",
		"messages_are_immutable()", "tool_invocations_are_immutable()",
	}
}

// Known are all tables and functions that somebody has thought of.
func Known() []string {
	known := Closed()
	for _, s := range Services() {
		for table := range s.Tables {
			known = append(known, table)
		}
		known = append(known, s.Functions...)
	}
	slices.Sort(known)
	return slices.Compact(known)
}

// RoleName is the role of a service. The prefix keeps several installations on one server apart.
func RoleName(prefix, service string) string {
	return prefix + "_" + strings.ReplaceAll(service, "-", "_")
}

// privileges takes apart what Tables says of a table: which privileges there are, and the columns of an UPDATE that is not of all.
func privileges(grant string) (names []string, columns []string) {
	if before, of, ok := strings.Cut(grant, "("); ok {
		for _, c := range strings.Split(strings.TrimSuffix(of, ")"), ",") {
			columns = append(columns, strings.TrimSpace(c))
		}
		grant = before
	}
	for _, name := range strings.Split(grant, ",") {
		names = append(names, strings.TrimSpace(name))
	}
	return names, columns
}

// Lines shows what a service may do, one table or function in a line.
func (s Service) Lines() []string {
	var lines []string
	for _, table := range slices.Sorted(maps.Keys(s.Tables)) {
		lines = append(lines, table+": "+s.Tables[table])
	}
	for _, f := range s.Functions {
		lines = append(lines, f+": EXECUTE")
	}
	return lines
}
