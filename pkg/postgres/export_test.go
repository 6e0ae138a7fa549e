package postgres

// Rows are the structs that stand for tables of this package.
var Rows = []any{&chainRow{}, &headRow{}, &Outgoing{}, &Shard{}, &Handled{}}

// PartialRows are structs that stand for a part of a table, and what they leave out.
var (
	PartialRows = []any{&eventRow{}, &sequenceRow{}}
	LeftOut     = []string{"events.hash", "sequences.hash", "sequences.erased_through", "sequences.erased_hash"}
)

// Elements is elements.
var Elements = elements
