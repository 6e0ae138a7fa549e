package ws

import (
	"encoding/json"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/event"
)

func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		`{"type":"ping"}`, `{"type":"auth","token":"a.b.c"}`, `{"type":"auth","token":null}`, `{"TYPE":"ping"}`, ``, `null`,
		`[]`, `"ping"`, `{"type":1}`, `{"type":"ping"}{"type":"ping"}`, "{\"type\":\"\xff\"}", `{"type":"\ud800"}`,
		`{"type":"ping","x":[[[[[[[[[[[[]]]]]]]]]]]]}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		m, err := decode(raw)
		if err != nil {
			if !errs.Is(err, errs.Invalid) {
				t.Fatalf("%q: %v is not invalid", raw, err)
			}
			return
		}
		if m.Type == "" || !utf8.Valid(raw) || !json.Valid(raw) {
			t.Fatalf("%q was taken as %+v", raw, m)
		}
		if n := len([]rune(cut(m.Type, 40))); n > 41 {
			t.Fatalf("%d characters of the client's are repeated", n)
		}
	})
}

func FuzzEncode(f *testing.F) {
	f.Add("task.updated", "ann", "id", []byte(`{"changed":["title"]}`), int64(1))
	f.Add("user.updated", "ann", "id", []byte(`{"changed":"title"}`), int64(1))
	f.Add("reminder.fired", "ann", "\xff", []byte(`nonsense`), int64(-1))
	f.Add("reminder.fired", "ann", "id", []byte(`{"minutes_before":-1,"late_seconds":1e99}`), int64(1))
	f.Add("series.updated", "ann", "id", []byte(`{"changed":null}`), int64(1))
	f.Fuzz(func(t *testing.T, kind, user, id string, data []byte, sequence int64) {
		e := event.Envelope{ID: id, Type: kind, UserID: user, AggregateID: id, Version: 1, Sequence: sequence, Data: data}
		if frame := Encode(e, true); !json.Valid(frame.text) || frame.shared == nil {
			t.Fatalf("%q", frame.text)
		}
	})
}

func TestNoSecondHasMoreThanTenMessages(t *testing.T) {
	t.Parallel()
	var w window
	allowed := func(at time.Duration) bool { return w.allow(at) }
	for i := range 10 {
		if !allowed(time.Duration(i)) {
			t.Fatalf("message %d is refused", i)
		}
	}
	if allowed(time.Second - 1) {
		t.Error("the eleventh within a second is allowed")
	}
	w = window{}
	for i := range 1000 {
		if !allowed(time.Duration(i) * 100 * time.Millisecond) {
			t.Fatalf("message %d of a steady ten per second is refused", i)
		}
	}
}

func TestPaceJudgesAClientThatNeverCatchesUp(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		backlog func(i int) int64
		writing time.Duration
		slow    bool
	}{
		"the backlog grows while writing waits":     {func(i int) int64 { return int64(1000 + i) }, 900 * time.Millisecond, true},
		"the backlog stays while writing waits":     {func(int) int64 { return 1000 }, 900 * time.Millisecond, true},
		"the backlog shrinks while writing waits":   {func(i int) int64 { return int64(1000 - i) }, 900 * time.Millisecond, false},
		"the backlog grows while the log is slow":   {func(i int) int64 { return int64(1000 + i) }, 100 * time.Millisecond, false},
		"the backlog is gone now and then":          {func(i int) int64 { return int64(1000 * (i % 20)) }, 900 * time.Millisecond, false},
		"a batch takes longer than anybody watches": {func(int) int64 { return 0 }, 31 * time.Second, true},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var p pace
			start, slow := time.Now(), false
			for i := range 100 {
				slow = slow || p.slow(start.Add(time.Duration(i)*time.Second), c.backlog(i), c.writing)
			}
			if slow != c.slow {
				t.Errorf("slow is %v", slow)
			}
		})
	}
}
