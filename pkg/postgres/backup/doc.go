// Package backup writes what a TaskFlow knows into one stream and makes an empty database of it again.
//
// A stream is a line that names its format, then gzip, then the SHA-256 of both. What is compressed is a line of JSON about the
// backup; for every table a line of JSON with its name and columns and then its rows, as COPY writes them, in chunks with a line of
// their length before each and a chunk of length 0 at the end; and last a line of JSON that counts the rows.
//
// It owns which tables are in a backup (tables) and that a restored database has all of it or nothing. It refuses to know what the
// rows mean: whoever restores compares them with the event log afterwards (VerifyChains of pkg/postgres, Verify of taskstore).
// The page's own tables (schema auth) are not its business, nor is what the sidecars keep.
package backup

import (
	"time"
)

// Format is the newest format this version reads and the one it writes.
const Format = 1

const (
	title = "taskflow-backup"
	// maxLine bounds a line of JSON, maxChunk a chunk of rows.
	maxLine, maxChunk = 64 << 10, 1 << 20
)

// tables are in the order in which they can be filled again: who refers to another comes after it.
var tables = []string{
	"profiles", "events", "sequences", "series", "tasks", "alarms", "conversations", "messages", "runs", "tool_invocations",
	"api_tokens", "idempotency", "inbox", "dead_letters", "outbox",
}

// made are tables that the migrations fill.
var made = []string{"goose_db_version", "outbox_shards"}

// Header is what a backup says of itself.
type Header struct {
	// Schema is the migration that the tables were at.
	Schema int64 `json:"schema"`
	// At is the moment of which everything in the backup is.
	At time.Time `json:"at"`
}

// Rows counts rows by table.
type Rows map[string]int64

// Total counts all of them.
func (r Rows) Total() int64 {
	var n int64
	for _, rows := range r {
		n += rows
	}
	return n
}

type section struct {
	Table   string   `json:"table"`
	Columns []string `json:"columns"`
}

type trailer struct {
	Rows Rows `json:"rows"`
}

// Progress is told how far it is: the rows of all tables so far.
type Progress func(table string, rows int64)
