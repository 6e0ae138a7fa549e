// Package importing brings tasks from elsewhere: what a file's readers found (Item) it checks by the rule book and creates
// through task.Service, one by one in what becomes of them, a hundred at a time in how they are made.
//
// It owns what is the same for every format: what is cut, kept elsewhere and warned of, and that a file that is sent again
// creates nothing twice. It refuses to know formats (internal/ical, internal/todoist) and doors.
package importing

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/task"
)

// Bounds of one import.
const (
	// MaxBytes is how large a file may be.
	MaxBytes = 5 << 20
	// MaxItems is how many tasks it may hold.
	MaxItems = 5000
	// maxWarnings is how many warnings one item, and the file itself, can have; what is more is counted.
	maxWarnings = 8
	// maxQuote is how much of a file's text a warning repeats, in characters.
	maxQuote = 100
)

// TooMany is the error of a file with more items than MaxItems.
func TooMany(n int) error {
	return errs.InvalidFields(errs.Field{Field: "body", Message: fmt.Sprintf("must hold at most %d tasks, not %d", MaxItems, n)})
}

// File is what was read of a file, in its order.
type File struct {
	Items []Item
	// Warnings are about the file and not an item.
	Warnings Warnings
}

// Warnings are sentences for the user; a bounded number of them.
type Warnings struct {
	Said []string
	more int
}

// Add adds a warning.
func (w *Warnings) Add(format string, args ...any) {
	if len(w.Said) < maxWarnings-1 {
		w.Said = append(w.Said, fmt.Sprintf(format, args...))
		return
	}
	w.more++
	last := fmt.Sprintf(format, args...)
	if w.more > 1 {
		last = fmt.Sprintf("and %d more", w.more)
	}
	w.Said = append(w.Said[:min(len(w.Said), maxWarnings-1)], last)
}

// Quote is a file's text as warnings repeat it.
func Quote(text string) string {
	runes := []rune(strings.ToValidUTF8(text, "\uFFFD"))
	if len(runes) > maxQuote {
		return fmt.Sprintf("%q…", string(runes[:maxQuote]))
	}
	return fmt.Sprintf("%q", string(runes))
}

// Item is one task of a file as it was read.
type Item struct {
	// Line is where it begins in the file, from 1.
	Line int
	// UID is the file's own name for it, if it has one.
	UID string
	// Fields are unchecked.
	Fields task.Fields
	// Own, if it is not nil, is what the first occurrence of a repeating task says instead; its recurrence does not count.
	Own *task.Fields
	// Done says that the task is completed.
	Done     bool
	Warnings Warnings
}

// Warn adds a warning about the item.
func (i *Item) Warn(format string, args ...any) { i.Warnings.Add(format, args...) }

// SetTitle takes a title of any length: what does not fit goes into the description, which must have been set before.
func (i *Item) SetTitle(text string) {
	title := strings.TrimSpace(clean(strings.NewReplacer("\r", " ", "\n", " ", "\t", " ").Replace(text)))
	if utf8.RuneCountInString(title) > task.MaxTitle {
		i.Keep("Title", title)
		i.Warn("the title is longer than %d characters; all of it is in the description", task.MaxTitle)
		title = strings.TrimSpace(string([]rune(title)[:task.MaxTitle-1])) + "…"
	}
	i.Fields.Title = title
}

// SetDescription takes a description of any length; one that is too long is cut.
func (i *Item) SetDescription(text string) {
	text = strings.TrimRight(clean(text), " \n\r\t")
	if utf8.RuneCountInString(text) > task.MaxDescription {
		i.Warn("the description was cut at %d characters", task.MaxDescription)
		text = string([]rune(text)[:task.MaxDescription])
	}
	i.Fields.Description = text
}

// Keep adds a line to the description for what a task has no field for.
func (i *Item) Keep(what, text string) { i.Append(what + ": " + text) }

// Append adds a paragraph to the description.
func (i *Item) Append(text string) {
	if i.Fields.Description != "" {
		text = i.Fields.Description + "\n" + text
	}
	i.SetDescription(text)
}

// AddTag adds a tag. One that cannot be is kept in the description.
func (i *Item) AddTag(tag string) {
	tag = strings.TrimSpace(clean(strings.NewReplacer("\r", " ", "\n", " ", "\t", " ").Replace(tag)))
	switch {
	case tag == "":
	case len(i.Fields.Tags) == task.MaxTags, utf8.RuneCountInString(tag) > task.MaxTag:
		i.Keep("Tag", tag)
		i.Warn("a task has at most %d tags of %d characters; the tag %s is in the description", task.MaxTags, task.MaxTag, Quote(tag))
	default:
		i.Fields.Tags = append(i.Fields.Tags, tag)
	}
}

// clean is a text without what no field may hold.
func clean(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' && r != '\r' && r != '\t' {
			return -1
		}
		return r
	}, strings.ToValidUTF8(text, "\uFFFD"))
}
