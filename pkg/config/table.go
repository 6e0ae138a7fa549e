package config

import (
	"errors"
	"reflect"
	"strings"
)

// Table is T's settings as a markdown table, in the order of T's fields.
func Table[T any]() string {
	var b strings.Builder
	b.WriteString("| Variable | Default | Required | Meaning |\n|---|---|---|---|\n")
	for _, s := range settingsOf(reflect.TypeFor[T]()) {
		required, meaning, fallback := "", s.doc, ""
		if s.required {
			required = "yes"
		}
		if s.secret {
			meaning += " (secret)"
		}
		if s.fallback != "" {
			fallback = "`" + s.fallback + "`"
		}
		b.WriteString("| `" + s.name + "` | " + cell(fallback) + " | " + required + " | " + cell(meaning) + " |\n")
	}
	return b.String()
}

func cell(text string) string { return strings.ReplaceAll(text, "|", `\|`) }

const (
	sectionStart = "<!-- settings -->"
	sectionEnd   = "<!-- /settings -->"
)

// Section returns markdown with table as the only text between the lines <!-- settings --> and <!-- /settings -->. A test
// compares its result with the README, or writes it there. It fails unless there is exactly one such pair.
func Section(markdown, table string) (string, error) {
	before, rest, started := strings.Cut(markdown, sectionStart)
	_, after, ended := strings.Cut(rest, sectionEnd)
	if !started || !ended || strings.Contains(after, sectionStart) {
		return "", errors.New("the text must have one " + sectionStart + " followed by one " + sectionEnd)
	}
	return before + sectionStart + "\n\n" + table + "\n" + sectionEnd + after, nil
}
