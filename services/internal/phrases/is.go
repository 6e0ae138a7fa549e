package phrases

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/teambition/rrule-go"
)

// Text contains all words, in any case.
func Text(words ...string) Is {
	return func(value any) error {
		text, _ := value.(string)
		for _, w := range words {
			if !strings.Contains(strings.ToLower(text), strings.ToLower(w)) {
				return fmt.Errorf("expected %q in it", w)
			}
		}
		return nil
	}
}

// Without is a text that has none of the words: dates and tags belong elsewhere than into a title.
func Without(is Is, words ...string) Is {
	return func(value any) error {
		text, _ := value.(string)
		for _, w := range words {
			if strings.Contains(strings.ToLower(text), strings.ToLower(w)) {
				return fmt.Errorf("expected no %q in it", w)
			}
		}
		return is(value)
	}
}

// Exactly is a text, a number or a truth.
func Exactly(want any) Is {
	return func(value any) error {
		if !strings.EqualFold(fmt.Sprint(value), fmt.Sprint(want)) {
			return fmt.Errorf("expected %v", want)
		}
		return nil
	}
}

// Absent is not there, or as empty as if it were not.
func Absent(value any) error {
	switch v := value.(type) {
	case nil:
		return nil
	case string:
		if v == "" || v == "none" {
			return nil
		}
	case []any:
		if len(v) == 0 {
			return nil
		}
	}
	return errors.New("expected nothing")
}

// Any is one of several.
func Any(all ...Is) Is {
	return func(value any) error {
		var wrong []error
		for _, is := range all {
			err := is(value)
			if err == nil {
				return nil
			}
			wrong = append(wrong, err)
		}
		return errors.Join(wrong...)
	}
}

// Set is a list of these, in any order and any case; numbers as they are printed.
func Set(want ...any) Is {
	return func(value any) error {
		list, _ := value.([]any)
		text := func(all []any) []string {
			var out []string
			for _, v := range all {
				out = append(out, strings.ToLower(strings.TrimPrefix(fmt.Sprint(v), "#")))
			}
			slices.Sort(out)
			return out
		}
		if !slices.Equal(text(list), text(want)) {
			return fmt.Errorf("expected %v", want)
		}
		return nil
	}
}

// At is an instant. Without an offset a time is read in the zone of want, as the tools do.
func At(want time.Time) Is {
	return func(value any) error {
		if at, ok := instant(value, want.Location()); !ok || !at.Equal(want) {
			return fmt.Errorf("expected %s", want.Format(time.RFC3339))
		}
		return nil
	}
}

// Each is a list of as many values, one for each of these in any order.
func Each(want ...Is) Is {
	return func(value any) error {
		list, _ := value.([]any)
		if len(list) != len(want) {
			return fmt.Errorf("expected %d of them", len(want))
		}
		left := slices.Clone(list)
		for _, is := range want {
			i := slices.IndexFunc(left, func(v any) bool { return is(v) == nil })
			if i < 0 {
				return is(left[0])
			}
			left = slices.Delete(left, i, i+1)
		}
		return nil
	}
}

// About is an instant at most a minute from another: it is reckoned from when the model was asked.
func About(want time.Time) Is {
	return func(value any) error {
		if at, ok := instant(value, want.Location()); !ok || at.Sub(want).Abs() > time.Minute {
			return fmt.Errorf("expected about %s", want.Format(time.RFC3339))
		}
		return nil
	}
}

func instant(value any, zone *time.Location) (time.Time, bool) {
	text, _ := value.(string)
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04Z07:00", "2006-01-02T15:04:05", "2006-01-02T15:04"} {
		if at, err := time.ParseInLocation(layout, text, zone); err == nil {
			return at, true
		}
	}
	return time.Time{}, false
}

// Day is a whole day.
func Day(want time.Time) Is {
	return func(value any) error {
		if text, _ := value.(string); text != want.Format(time.DateOnly) {
			return fmt.Errorf("expected %s", want.Format(time.DateOnly))
		}
		return nil
	}
}

// On is any time of a day, or the whole day, as seen in the day's zone.
func On(want time.Time) Is {
	return func(value any) error {
		text, _ := value.(string)
		if at, ok := instant(value, want.Location()); ok {
			text = at.In(want.Location()).Format(time.DateOnly)
		}
		if text != want.Format(time.DateOnly) {
			return fmt.Errorf("expected a time on %s", want.Format(time.DateOnly))
		}
		return nil
	}
}

// Rule is a rule that falls on the same days as another, counted from a day on which it begins.
func Rule(want string, from time.Time) Is {
	return func(value any) error {
		text, _ := value.(string)
		got, err := days(text, from)
		if err != nil {
			return fmt.Errorf("expected a rule such as %s: %w", want, err)
		}
		if expected, err := days(want, from); err != nil || !slices.Equal(got, expected) {
			return fmt.Errorf("expected a rule like %s, which falls on %v and not on %v", want, expected, got)
		}
		return nil
	}
}

// compared is how many days of two rules are compared.
const compared = 12

func days(rule string, from time.Time) ([]string, error) {
	short := map[string]string{"daily": "FREQ=DAILY", "weekly": "FREQ=WEEKLY", "monthly": "FREQ=MONTHLY"}
	if long, ok := short[strings.ToLower(rule)]; ok {
		rule = long
	}
	o, err := rrule.StrToROption(strings.TrimPrefix(rule, "RRULE:"))
	if err != nil {
		return nil, err
	}
	o.Dtstart = time.Date(from.Year(), from.Month(), from.Day(), 12, 0, 0, 0, time.UTC)
	if !o.Until.IsZero() {
		// Only the day counts: UNTIL is a date to some and an instant to others.
		o.Until = time.Date(o.Until.Year(), o.Until.Month(), o.Until.Day(), 23, 0, 0, 0, time.UTC)
	}
	r, err := rrule.NewRRule(*o)
	if err != nil {
		return nil, err
	}
	var all []string
	next := r.Iterator()
	for range compared {
		at, ok := next()
		if !ok {
			break
		}
		all = append(all, at.Format(time.DateOnly))
	}
	return all, nil
}

// Has is a value in which, written as JSON, all words occur: for arguments whose form is up to the model.
func Has(words ...string) Is {
	return func(value any) error {
		text, err := json.Marshal(value)
		if err != nil {
			return err
		}
		return Text(words...)(string(text))
	}
}
