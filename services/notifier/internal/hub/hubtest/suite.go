package hubtest

import (
	"testing"

	"github.com/taskflow-suite/taskflow/services/notifier/internal/hub"
)

// Conform shows that a log keeps what hub.Log promises. add appends n events of a user to the log.
func Conform(t *testing.T, log hub.Log, add func(t *testing.T, userID string, n int)) {
	t.Helper()
	ctx := t.Context()
	since := func(userID string, since int64, limit int) []int64 {
		t.Helper()
		page, err := log.Since(ctx, userID, since, limit)
		if err != nil {
			t.Fatal(err)
		}
		var sequences []int64
		for _, e := range page {
			if e.UserID != userID {
				t.Errorf("the log of %s has an event of %s", userID, e.UserID)
			}
			sequences = append(sequences, e.Sequence)
		}
		return sequences
	}
	wants := func(what string, got []int64, first, last int64) {
		t.Helper()
		if int64(len(got)) != last-first+1 {
			t.Errorf("%s: %d events, want %d to %d", what, len(got), first, last)
			return
		}
		for i, sequence := range got {
			if sequence != first+int64(i) {
				t.Errorf("%s: event %d has sequence %d, want %d", what, i, sequence, first+int64(i))
			}
		}
	}
	wants("before the first event", since("ann", 0, 10), 1, 0)
	if heads, err := log.Heads(ctx, []string{"ann"}); err != nil || heads["ann"] != 0 {
		t.Errorf("before the first event: head %d, %v", heads["ann"], err)
	}
	add(t, "ann", 7)
	add(t, "bob", 3)
	wants("everything", since("ann", 0, 10), 1, 7)
	wants("a page", since("ann", 2, 3), 3, 5)
	wants("behind the last", since("ann", 7, 10), 1, 0)
	wants("beyond the last", since("ann", 1<<40, 10), 1, 0)
	wants("somebody else's", since("bob", 0, 10), 1, 3)
	heads, err := log.Heads(ctx, []string{"ann", "bob", "nobody"})
	if err != nil || heads["ann"] != 7 || heads["bob"] != 3 || heads["nobody"] != 0 {
		t.Errorf("heads %v, %v", heads, err)
	}
	if heads, err := log.Heads(ctx, nil); err != nil || len(heads) != 0 {
		t.Errorf("the heads of nobody: %v, %v", heads, err)
	}
}
