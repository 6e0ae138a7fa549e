package stack

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// readable turns a JSON log line into one for people: level, sentence, then the attributes. The log file keeps the line
// as it was. What is no such line comes back unchanged, and so does what a person has no use for: time (it is now),
// and who speaks (it stands at the left).
func readable(line []byte) []byte {
	if len(line) == 0 || line[0] != '{' {
		return line
	}
	var fields map[string]json.RawMessage
	if json.Unmarshal(line, &fields) != nil {
		return line
	}
	sentence, ok := fields["msg"]
	if !ok {
		return line
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "%-5s %s", strings.ToUpper(plain(fields["level"])), plain(sentence))
	for _, known := range []string{
		"msg", "level", "time", "timestamp",
		"service_name", "app_id", "instance", "scope", "type", "ver", // the last five are daprd's
	} {
		delete(fields, known)
	}
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if value := plain(fields[name]); value != "" {
			fmt.Fprintf(&b, " %s=%s", name, value)
		}
	}
	return b.Bytes()
}

// plain is a JSON value without the quotes of a string.
func plain(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return strings.ReplaceAll(s, "\n", "\\n")
	}
	return string(raw)
}
