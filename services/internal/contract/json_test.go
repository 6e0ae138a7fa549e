package contract

import (
	"errors"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"
)

func TestMalformedJSONIsRefusedWithItsPlace(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ body, want string }{
		"nothing":                    {"", "the body is empty; send JSON"},
		"only spaces":                {" \n\t", "the body is empty; send JSON"},
		"not JSON":                   {"title=milk", "the body is not JSON at line 1, column 2: invalid character 'i' in literal true (expecting 'r')"},
		"an end too early":           {`{"title":"a"`, "the body is not JSON at line 1, column 12: unexpected end of JSON input"},
		"a mistake on a later line":  {"{\n \"title\": 'a'}", "the body is not JSON at line 2, column 11: invalid character '\\'' looking for beginning of value"},
		"trailing data":              {`{"title":"a"}{}`, "the body is not JSON at line 1, column 14: invalid character '{' after top-level value"},
		"a trailing comma":           {`{"title":"a",}`, "the body is not JSON at line 1, column 14: invalid character '}' looking for beginning of object key string"},
		"a raw NUL":                  {"{\"title\":\"a\x00\"}", "the body is not JSON at line 1, column 12: invalid character '\\x00' in string literal"},
		"a raw control character":    {"{\"title\":\"a\nb\"}", "the body is not JSON at line 1, column 12: invalid character '\\n' in string literal"},
		"bytes that are not UTF-8":   {"{\"title\":\"\xff\"}", "the body is not UTF-8"},
		"a name twice":               {`{"title":"a","title":"b"}`, `the body has "title" twice in one object`},
		"a name twice in disguise":   {`{"title":"a","\u0074itle":"b"}`, `the body has "title" twice in one object`},
		"a name twice far down":      {`{"a":{"b":[{"c":1,"c":2}]}}`, `the body has "c" twice in one object`},
		"a name twice among many":    {`{` + manyMembers(40) + `,"m7":1}`, `the body has "m7" twice in one object`},
		"deep nesting":               {strings.Repeat("[", 100) + strings.Repeat("]", 100), "the body is nested more than 32 deep"},
		"nesting that would crash":   {strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000), "the body is not JSON at line 1, column 10001: invalid character '[' exceeded max depth"},
		"more values than any needs": {"[" + strings.Repeat("0,", 30_000) + "0]", "the body has more than 20000 values"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := parse([]byte(c.body))
			refused, ok := errors.AsType[*echo.HTTPError](err)
			if !ok || refused.Code != 400 || refused.Message != c.want {
				t.Errorf("got %v, want 400 %q", err, c.want)
			}
		})
	}
}

func manyMembers(n int) string {
	var all []string
	for i := range n {
		all = append(all, `"m`+string(rune('0'+i%10))+strings.Repeat("x", i/10)+`":1`)
	}
	return strings.Join(all, ",")
}
