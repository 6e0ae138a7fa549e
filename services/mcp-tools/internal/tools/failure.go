package tools

import (
	"strings"
	"unicode/utf8"

	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/services/internal/agenttools"
)

// maxError is how many characters the text of a failure has.
const maxError = 300

// refusal is a call that was refused as a whole.
type refusal struct {
	Code    string `json:"code"`
	Error   string `json:"error"`
	TryNext string `json:"try_next"`
}

// advised is an error with what to try next, where the kind alone does not say it.
type advised struct {
	error
	tryNext string
}

func (a advised) Unwrap() error { return a.error }

// failed is what is wrong with a call or an item; ok is false if it is not the caller's doing, and nobody else's business.
func failed(err error) (r refusal, ok bool) {
	kind := errs.KindOf(err)
	switch kind {
	case errs.Invalid:
		r = refusal{Code: "invalid", TryNext: "Correct what the error names and send only this again."}
	case errs.NotFound:
		r = refusal{Code: "not_found", TryNext: "Look the id up with find_tasks."}
	case errs.Conflict:
		r = refusal{Code: "conflict", TryNext: "Restore it with restore_tasks first."}
	case errs.Stale:
		r = refusal{Code: "stale", TryNext: "Read it with get_tasks, then decide again."}
	case errs.Denied:
		r = refusal{Code: "denied", TryNext: "Do not try again."}
	default:
		return refusal{}, false
	}
	if a, is := err.(advised); is { //nolint:errorlint // only what was advised about this very error
		r.TryNext = a.tryNext
	}
	r.Error = capped(textOf(err))
	return r, true
}

// names are the tools' names of what the rule book names otherwise.
var names = strings.NewReplacer(
	"due_date", "due", "recurrence.rule", "repeats", "recurrence.anchor", "repeats_from", "recurrence.catch_up", "catch_up",
	"recurrence.time_zone", "repeats_zone",
)

// textOf names every wrong field.
func textOf(err error) string {
	fields := errs.Fields(err)
	if len(fields) == 0 {
		return errs.Text(err)
	}
	var all []string
	for _, f := range fields {
		field := names.Replace(f.Field)
		if field == "q" {
			field = "query"
		}
		all = append(all, field+" "+names.Replace(f.Message))
	}
	return strings.Join(all, "; ")
}

func capped(s string) string { return cut(strings.ToValidUTF8(s, "?"), maxError, "…") }

// cut is the first n characters of a text, followed by mark if there are more.
func cut(s string, n int, mark string) string {
	if len(s) <= n || utf8.RuneCountInString(s) <= n {
		return s
	}
	at := 0
	for range n {
		_, size := utf8.DecodeRuneInString(s[at:])
		at += size
	}
	return s[:at] + mark
}

// failures gathers what was not done.
type batchFailures []agenttools.Failure

// add takes an item's failure, or returns an error that is the whole call's.
func (f *batchFailures) add(item string, err error) error {
	r, ok := failed(err)
	if !ok {
		return err
	}
	*f = append(*f, agenttools.Failure{Item: cut(item, 100, "…"), Code: r.Code, Error: r.Error, TryNext: r.TryNext})
	return nil
}
