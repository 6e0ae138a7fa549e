package ical

import (
	"errors"
	"fmt"
	"strings"
)

// component is what stands between BEGIN and END.
type component struct {
	name       string
	properties []line
	components []*component
	number     int // of the line of BEGIN
}

// property is the first property of that name, nil if there is none.
func (c *component) property(name string) *line {
	for i := range c.properties {
		if c.properties[i].name == name {
			return &c.properties[i]
		}
	}
	return nil
}

// text is the value of a TEXT property, empty if there is none.
func (c *component) text(name string) string {
	if p := c.property(name); p != nil {
		return unescape(p.value)
	}
	return ""
}

// parse reads a file: one calendar, or several one after the other, whose components it returns together. keep says which
// components are wanted; of the others it checks that they end. An error is for the caller.
func parse(text string, keep func(name string) bool) ([]*component, error) {
	r := &lines{rest: strings.TrimPrefix(text, "\uFEFF"), keep: keep}
	var all []*component
	calendars := 0
	for {
		l, ok, err := r.next()
		if err != nil {
			return nil, err
		}
		if !ok {
			break
		}
		if l.name != "BEGIN" || !strings.EqualFold(strings.TrimSpace(l.value), "VCALENDAR") {
			return nil, fmt.Errorf("line %d: a calendar begins with BEGIN:VCALENDAR", l.number)
		}
		calendars++
		found, err := r.component("VCALENDAR", l.number, 0)
		if err != nil {
			return nil, err
		}
		all = append(all, found.components...)
	}
	if calendars == 0 {
		return nil, errors.New("it holds no calendar; one begins with BEGIN:VCALENDAR")
	}
	return all, nil
}

// component reads what follows a BEGIN, up to its END.
func (r *lines) component(name string, number, depth int) (*component, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("line %d: components are nested more than %d deep", number, maxDepth)
	}
	c := &component{name: name, number: number}
	for {
		l, ok, err := r.next()
		switch {
		case err != nil:
			return nil, err
		case !ok:
			return nil, fmt.Errorf("the file ends before the %s that begins on line %d", clip(name), number)
		case l.name == "END":
			if !strings.EqualFold(strings.TrimSpace(l.value), name) {
				return nil, fmt.Errorf("line %d ends a %s, and on line %d a %s began", l.number, clip(l.value), number, clip(name))
			}
			return c, nil
		case l.name == "BEGIN":
			inner, err := r.component(strings.ToUpper(strings.TrimSpace(l.value)), l.number, depth+1)
			if err != nil {
				return nil, err
			}
			switch {
			case depth == 0 && !r.keep(inner.name):
			case depth > 0 && len(c.components) == maxInner:
				return nil, fmt.Errorf("line %d: a %s holds more than %d components", inner.number, clip(name), maxInner)
			default:
				c.components = append(c.components, inner)
			}
		case len(c.properties) == maxLines:
			return nil, fmt.Errorf("line %d: a %s has more than %d lines", l.number, clip(name), maxLines)
		default:
			c.properties = append(c.properties, l)
		}
	}
}

// clip keeps what a file says short in what is said of it.
func clip(s string) string {
	const most = 80
	runes := []rune(strings.ToValidUTF8(s, "\uFFFD"))
	if len(runes) <= most {
		return string(runes)
	}
	return string(runes[:most]) + "…"
}
