package postgres

// Rows are the structs that stand for tables of this package.
var Rows = []any{&eventRow{}, &sequenceRow{}, &Outgoing{}, &Shard{}, &Handled{}}

// Elements is elements.
var Elements = elements
