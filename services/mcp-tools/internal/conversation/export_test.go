package conversation

// ParseCursor is parseCursor.
var ParseCursor = parseCursor

// Encode is encode.
func (c cursor) Encode() string { return c.encode() }
