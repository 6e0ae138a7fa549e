package abuse_test

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/google/uuid"
)

// generator makes values of schemas: mostly good ones, often at their bounds, and now and then something else.
type generator struct{ *rand.Rand }

func (g *generator) oneIn(n int) bool { return g.IntN(n) == 0 }

// hostiles are texts that have broken programs.
var hostiles = []string{
	"", " ", "\t\n", "\x00", "a\x00b", "\x7f", "\u202e", "\ufeff", "\u200d", "💩", "👩‍👩‍👧‍👦", "ß", "İ", "ﬃ", "e\u0301", "\U0010ffff", "\xff\xfe", "\xed\xa0\x80",
	"' OR 1=1; DROP TABLE tasks; --", `"; $(sleep 9) #`, "../../../../etc/passwd", "..%2f..%2f", "%00", "%", "%zz", "{{7*7}}", "${7*7}", "<script>alert(1)</script>",
	"null", "true", "NaN", "-0", "0x10", "1e400", "-1", "9223372036854775807", "9223372036854775808", "1.5", "1_000", "٣", "Infinity",
	"0000-00-00", "2026-02-30", "9999-12-31", "-0001-01-01", "2026-11-23T25:61:61Z", "2026-11-23T10:00:00+99:99", "294277-01-01T00:00:00Z", "1900-01-01T00:00:00Z",
	"Europe/../../etc/passwd", "Local", "UTC", "GMT+25", "DAILY", "FREQ=DAILY;COUNT=0", "FREQ=YEARLY;INTERVAL=999999999", "FREQ=WEEKLY;BYDAY=XX", "FREQ=DAILY;UNTIL=99999999T999999Z",
	"00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff", "__proto__", "constructor", "*", ",", ",,,", "=", "W/\"1\"", "\"1\"", "\"999999999999999999999\"",
	strings.Repeat("a", 5000), strings.Repeat("💩", 500), strings.Repeat("%25", 200), "BEGIN:VCALENDAR\r\nBEGIN:VTODO\r\nSUMMARY:x\r\n", "TYPE,CONTENT\ntask,x\n", "\"", "a,\"b\nc",
}

func (g *generator) hostile() string { return hostiles[g.IntN(len(hostiles))] }

// body is JSON of a schema, or sometimes not.
func (g *generator) body(schema *openapi3.SchemaRef) []byte {
	body := []byte(g.value(schema, 0))
	switch g.IntN(25) {
	case 0:
		return body[:g.IntN(len(body)+1)] // half of it
	case 1:
		return append(body, body...)
	case 2:
		return []byte(g.hostile())
	case 3:
		return nil
	}
	return body
}

// value is JSON text, so that it can also be what no value of Go's is.
func (g *generator) value(ref *openapi3.SchemaRef, depth int) string {
	s := ref.Value
	switch {
	case g.oneIn(30) || depth > 8:
		return g.other()
	case s.Nullable && g.oneIn(6):
		return "null"
	case len(s.Enum) > 0:
		text, err := json.Marshal(s.Enum[g.IntN(len(s.Enum))])
		if err != nil {
			panic(err)
		}
		return string(text)
	case len(s.OneOf) > 0:
		return g.value(s.OneOf[g.IntN(len(s.OneOf))], depth+1)
	case len(s.AnyOf) > 0:
		return g.value(s.AnyOf[g.IntN(len(s.AnyOf))], depth+1)
	case len(s.AllOf) > 0:
		return g.value(s.AllOf[g.IntN(len(s.AllOf))], depth+1)
	case s.Type.Is("object"):
		return g.object(s, depth)
	case s.Type.Is("array"):
		n := int(s.MinItems) + g.IntN(4)
		if s.MaxItems != nil && g.oneIn(5) {
			n = int(*s.MaxItems) + g.IntN(2)
		}
		var items []string
		for range min(n, 300) {
			items = append(items, g.value(s.Items, depth+1))
		}
		return "[" + strings.Join(items, ",") + "]"
	case s.Type.Is("integer"), s.Type.Is("number"):
		return g.number(s)
	case s.Type.Is("boolean"):
		return []string{"true", "false"}[g.IntN(2)]
	case s.Type.Is("string"):
		return quoted(g.text(s))
	}
	return g.other()
}

// object has what is required, some of the rest, and now and then a member too many, too few or twice.
func (g *generator) object(s *openapi3.Schema, depth int) string {
	var members []string
	for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
		if required := slices.Contains(s.Required, name); required && g.oneIn(40) || !required && !g.oneIn(3) {
			continue
		}
		member := quoted(name) + ":" + g.value(s.Properties[name], depth+1)
		members = append(members, member)
		if g.oneIn(60) {
			members = append(members, member)
		}
	}
	if g.oneIn(30) {
		members = append(members, quoted(g.hostile())+":"+g.other())
	}
	return "{" + strings.Join(members, ",") + "}"
}

func (g *generator) number(s *openapi3.Schema) string {
	switch {
	case g.oneIn(8):
		return []string{"0", "-0", "-1", "1.5", "1e3", "1e400", "9007199254740993", "9223372036854775808", "-9223372036854775809", "2147483648"}[g.IntN(10)]
	case s.Min != nil && g.oneIn(3):
		return fmt.Sprintf("%.0f", *s.Min-float64(g.IntN(2)))
	case s.Max != nil && g.oneIn(3):
		return fmt.Sprintf("%.0f", *s.Max+float64(g.IntN(2)))
	}
	low, high := 0.0, 100.0
	if s.Min != nil {
		low = *s.Min
	}
	if s.Max != nil {
		high = *s.Max
	}
	return fmt.Sprintf("%.0f", low+g.Float64()*(high-low))
}

// text is a string of a schema, as it stands in a path, a query or a header.
func (g *generator) text(s *openapi3.Schema) string {
	switch {
	case g.oneIn(6):
		return g.hostile()
	case len(s.Enum) > 0:
		return fmt.Sprint(s.Enum[g.IntN(len(s.Enum))])
	case len(s.OneOf) > 0:
		return g.text(s.OneOf[g.IntN(len(s.OneOf))].Value)
	case s.Type.Is("array"):
		return g.text(s.Items.Value) + "," + g.text(s.Items.Value)
	case s.Type.Is("boolean"):
		return []string{"true", "false"}[g.IntN(2)]
	case s.Type.Is("integer"), s.Type.Is("number"):
		return g.number(s)
	}
	at := time.Now().Add(time.Duration(g.Int64N(int64(1000*time.Hour))) - 500*time.Hour)
	switch s.Format {
	case "uuid":
		var id uuid.UUID
		for i := range id {
			id[i] = byte(g.Uint32())
		}
		return id.String()
	case "date":
		return at.Format(time.DateOnly)
	case "date-time", "instant":
		return at.UTC().Format(time.RFC3339)
	case "moment":
		if g.oneIn(2) {
			return at.Format(time.DateOnly)
		}
		return at.UTC().Format(time.RFC3339Nano)
	}
	// At the bounds as often as between them.
	n := int(s.MinLength) + g.IntN(30)
	if s.MaxLength != nil {
		if longest := int(*s.MaxLength); g.oneIn(8) && longest <= 10_000 {
			n = longest + g.IntN(2)
		} else {
			n = min(n, longest)
		}
	}
	letters := []string{"a", "Z", "0", " ", "-", "ä", "漢", "💩"}
	if s.Pattern != "" {
		letters = letters[:3]
	}
	var b strings.Builder
	for range n {
		b.WriteString(letters[g.IntN(len(letters))])
	}
	return b.String()
}

// other is JSON of no schema of ours.
func (g *generator) other() string {
	all := []string{"null", "true", "0", "-1", "1e999", `""`, "[]", "{}", "[[]]", `{"":{}}`, `"\ud800"`, `"\u0000"`, "[null]", strings.Repeat("[", 40) + strings.Repeat("]", 40)}
	if i := g.IntN(len(all) + 3); i < len(all) {
		return all[i]
	}
	return quoted(g.hostile())
}

// quoted is a string as JSON; what is no UTF-8 stays as it is, which is no JSON then.
func quoted(s string) string {
	if !utf8.ValidString(s) {
		return `"` + s + `"`
	}
	return jsonText(s)
}

func hash(s string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(s))
	return h.Sum64()
}
