// Package phrases is what people say to TaskFlow's chat, and which tools with which arguments must come of it: a table for any
// model, the offline one or a real one, and the check of an answer's receipts against it.
//
// It compares meanings: instants and not their spelling, rules by the days they fall on, titles by what they contain. It asks no
// model and reads no answer's text.
package phrases

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/taskflow-suite/taskflow/services/internal/agenttools"
)

// Phrase is something a person says.
type Phrase struct {
	// Say is the message; Before are messages that were said and answered before it.
	Say    string
	Before []string
	// Given are the tasks there are beforehand.
	Given []Given
	// Want are the calls that must come of it. Other calls may only read.
	Want []Want
}

// Given is a task that exists beforehand.
type Given struct {
	Title    string
	Priority string
	Tags     []string
	// Due is RFC 3339 or a date; a task that repeats has one.
	Due       string
	Repeats   string
	Reminders []int
	// RemindAt are RFC 3339.
	RemindAt []string
	// Status is open, completed or deleted; empty is open.
	Status string
}

// Want is a call that must be among the receipts.
type Want struct {
	Tool string
	// Outcome is done or waiting; empty is done.
	Outcome string
	// IDs are the titles of the given tasks that the call must name by their ids, and no others.
	IDs []string
	// Items are what the elements of the argument tasks must be like, in any order, and no others.
	Items []Item
	// Args are what arguments must be like.
	Args Args
}

// Item is an element of the argument tasks.
type Item struct {
	// Of is the title of the given task whose id the element must have; empty for a new task.
	Of string
	Args
}

// Args maps an argument's name to what it must be, and * to what all of them together must be.
type Args map[string]Is

// Is says what is wrong with a value as JSON decodes it; nil stands for an absent one.
type Is func(value any) error

// Check says what is missing in an answer's receipts, or what was done that was not asked for. ids tells the id of a given task.
func (p Phrase) Check(receipts []agenttools.Receipt, ids func(title string) string) error {
	var missed []error
	used := map[int]bool{}
	for _, w := range p.Want {
		var tries []error
		hit := -1
		for i, r := range receipts {
			if used[i] || r.Tool != w.Tool {
				continue
			}
			err := w.matches(r, ids)
			if err == nil {
				hit = i
				break
			}
			tries = append(tries, err)
		}
		switch {
		case hit >= 0:
			used[hit] = true
		case len(tries) == 0:
			missed = append(missed, fmt.Errorf("%s was not called; called was %s", w.Tool, called(receipts)))
		default:
			missed = append(missed, fmt.Errorf("%s: %w", w.Tool, errors.Join(tries...)))
		}
	}
	for i, r := range receipts {
		changed := r.Outcome != "failed" && agenttools.IntentOf(r.Tool) != agenttools.Read
		if changed && !used[i] {
			missed = append(missed, fmt.Errorf("%s was called without being asked for, with %v", r.Tool, r.Arguments))
		}
	}
	return errors.Join(missed...)
}

func called(receipts []agenttools.Receipt) string {
	var names []string
	for _, r := range receipts {
		names = append(names, r.Tool)
	}
	if len(names) == 0 {
		return "nothing"
	}
	return strings.Join(names, ", ")
}

func (w Want) matches(r agenttools.Receipt, ids func(string) string) error {
	want := w.Outcome
	if want == "" {
		want = "done"
	}
	if r.Outcome != want {
		return fmt.Errorf("the outcome is %s and not %s", r.Outcome, want)
	}
	if w.IDs != nil {
		if err := sameIDs(r.Arguments["ids"], w.IDs, ids); err != nil {
			return err
		}
	}
	if err := w.Args.match(r.Arguments); err != nil {
		return err
	}
	if w.Items == nil {
		return nil
	}
	items, _ := r.Arguments["tasks"].([]any)
	if len(items) != len(w.Items) {
		return fmt.Errorf("it has %d tasks and not %d", len(items), len(w.Items))
	}
	return matchItems(items, w.Items, ids)
}

// matchItems finds a different element for each item.
func matchItems(elements []any, want []Item, ids func(string) string) error {
	taken := map[int]bool{}
	for _, item := range want {
		var tries []error
		for i, element := range elements {
			if taken[i] {
				continue
			}
			err := item.matches(element, ids)
			if err == nil {
				taken[i], tries = true, nil
				break
			}
			tries = append(tries, err)
		}
		if len(tries) > 0 {
			return errors.Join(tries...)
		}
	}
	return nil
}

func (t Item) matches(element any, ids func(string) string) error {
	object, ok := element.(map[string]any)
	if !ok {
		return fmt.Errorf("a task is %v and no object", element)
	}
	if t.Of != "" && object["id"] != ids(t.Of) {
		return fmt.Errorf("id is %v, expected that of %q", object["id"], t.Of)
	}
	return t.match(object)
}

func (a Args) match(values map[string]any) error {
	var wrong []error
	names := make([]string, 0, len(a))
	for name := range a {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		var value any = values
		if name != "*" {
			value = values[name]
		}
		if err := a[name](value); err != nil {
			wrong = append(wrong, fmt.Errorf("%s is %v: %w", name, value, err))
		}
	}
	return errors.Join(wrong...)
}

func sameIDs(value any, titles []string, ids func(string) string) error {
	list, _ := value.([]any)
	var got, want []string
	for _, id := range list {
		text, _ := id.(string)
		got = append(got, text)
	}
	for _, title := range titles {
		want = append(want, ids(title))
	}
	slices.Sort(got)
	slices.Sort(want)
	if got = slices.Compact(got); !slices.Equal(got, want) {
		return fmt.Errorf("ids are %v, expected those of %q: %v", got, titles, want)
	}
	return nil
}
