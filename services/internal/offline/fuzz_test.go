package offline

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

var sayings = []string{
	"add buy milk tomorrow at 5pm, every Monday", "remind me to pay rent tomorrow at noon", "move it to friday 3pm", "postpone X by 2 days",
	"complete buy milk and call mom; then show overdue tasks", "when is 'every 2 weeks on Monday' next 3 times", "add \"a\" and \"b\" #x every month on the 31st until 25 December",
	"rename X to Y", "tag X with home and work", "add a note to X: y", "undo that delete", "", "\x00\xff", "«»“”‘’''\"\"", "every every every on on at at", "12/01/2026 99/99/9999",
	"in 5000 years", "on the last day of every", "remind me 30 minutes and 2 hours before it",
	"skip next monday's x this week", "only this week's this month's next", "from now on, move x to mondays and tuesdays going forward", "remind me in 2 hours about tomorrow",
	"snooze for another half an hour", "don't repeat any more anymore", "remind me of about it at 6", "stop x from repeating",
}

// FuzzSentence holds that no message breaks the rules, that they end, and that what they call for is JSON with titles that can
// be kept.
func FuzzSentence(f *testing.F) {
	for _, say := range sayings {
		f.Add(say, int64(1795359600))
	}
	zones := []*time.Location{time.UTC, zone(f, "America/New_York"), zone(f, "Australia/Lord_Howe"), zone(f, "Pacific/Apia")}
	f.Fuzz(func(t *testing.T, say string, unix int64) {
		now := time.Unix(unix%(1<<34), 0).In(zones[uint64(unix)%uint64(len(zones))])
		_ = intents(say, now)
		_, calls := talkWith(t, now, nil, say, "it", say)
		for _, call := range calls {
			_, arguments, _ := strings.Cut(call, " ")
			if !json.Valid([]byte(arguments)) || !utf8.ValidString(arguments) {
				t.Errorf("%q calls for %s", say, call)
			}
		}
		for _, w := range wishes(say, now) {
			for _, d := range w.drafts {
				if d.title == "" || len(d.title) > len(say) {
					t.Errorf("%q adds %q", say, d.title)
				}
			}
		}
	})
}

// FuzzRequest holds that no body breaks the server's decoder, and that what it lets through is answered.
func FuzzRequest(f *testing.F) {
	for _, body := range []string{
		``, `{}`, `[]`, `{"model":"taskflow-offline","messages":[{"role":"user","content":"hi"}]}`,
		`{"model":"taskflow-offline","messages":[{"role":"user","content":[{"type":"text","text":"add x"}]}],"tools":[{"type":"function","function":{"name":"add_tasks"}}],"tool_choice":"auto","stream":true,"stream_options":{"include_usage":true}}`,
		`{"model":"taskflow-offline","messages":[{"role":"user","content":"add x"},{"role":"assistant","content":null,"tool_calls":[{"id":"1","type":"function","function":{"name":"add_tasks","arguments":"{}"}}]},{"role":"tool","tool_call_id":"1","content":"{\"tasks\":[{\"id\":1}]}"}],"tools":[{"type":"function","function":{"name":"add_tasks"}}]}`,
		`{"model":"taskflow-offline","messages":[{"role":"user","content":"add x"},{"role":"assistant","content":null,"tool_calls":[{"id":"1","type":"function","function":{"name":"add_tasks","arguments":"{}"}}]},{"role":"tool","tool_call_id":"1","content":"{\"tasks\":[],\"failures\":[]}"}],"tools":[{"type":"function","function":{"name":"add_tasks"}}]}`,
		`{"model":"taskflow-offline","messages":[{"role":"user","content":"complete x"},{"role":"assistant","tool_calls":[{"id":"1","type":"function","function":{"name":"find_tasks"}}]},{"role":"tool","tool_call_id":"1","content":"<data>{\"tasks\":null,\"waiting\":5}"}],"tools":[{"type":"function","function":{"name":"find_tasks"}}]}`,
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		req, err := decode(strings.NewReader(string(body)))
		if err != nil {
			if e := classify(err); e.status < 400 || e.status > 499 || e.Message == "" {
				t.Errorf("%q is refused with %+v", body, e)
			}
			return
		}
		r := answer(req)
		if (r.call == nil) == (strings.TrimSpace(r.text) == "") {
			t.Errorf("%q is answered with %+v", body, r)
		}
	})
}

// BenchmarkLongSentences shows what the worst messages cost.
func BenchmarkLongSentences(b *testing.B) {
	now := local(b, "America/New_York", "2026-11-22 15:00")
	for _, word := range []string{"on ", "every ", "add and ", ", and ", "remind me 5 minutes and ", "'", "the last day of ", "move x to ", "1 day and ", "tagged a, "} {
		b.Run(strings.TrimSpace(word), func(b *testing.B) {
			long := "add " + strings.Repeat(word, 8000/len(word))
			for b.Loop() {
				_ = wishes(long, now)
				_ = wishes("move "+long, now)
				_ = wishes("make "+long, now)
			}
		})
	}
}
