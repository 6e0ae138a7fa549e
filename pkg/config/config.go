// Package config reads a program's settings from its environment into one documented struct, once, and reports all
// mistakes together. It owns the rules of the tags and how a secret behaves; it knows no program's settings, reads no
// files and remembers nothing.
//
// A field takes part if it is exported and has an env tag:
//
//	Addr string `env:"HTTP_ADDR" default:":8080" doc:"where REST is served"`
//
// Further tags are required:"true" and secret:"true" (which needs the type Secret). A field may be a string, bool, int,
// time.Duration, []string (separated by commas), *url.URL (absolute) or Secret. Structs without a tag are looked into, so
// that packages can bring their own settings by embedding. A struct with a method Check() error is asked once its own
// fields are in order.
package config

import (
	"errors"
	"fmt"
	"math"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

// checker is a struct with rules that concern several of its settings.
type checker interface{ Check() error }

// Load reads T's settings through lookup, usually os.LookupEnv. A variable that is empty counts as not set. The error
// names every wrong variable with what is wrong and what is expected, one per line, and never shows a secret's value.
// It panics if T's tags contradict each other, for that is a mistake in the program.
func Load[T any](lookup func(string) (string, bool)) (T, error) {
	var settings T
	l := loader{lookup: lookup}
	l.fill(reflect.ValueOf(&settings).Elem())
	if len(l.mistakes) == 0 {
		return settings, nil
	}
	var none T
	return none, errors.New("the settings are not right:\n  " + strings.Join(l.mistakes, "\n  "))
}

type loader struct {
	lookup   func(string) (string, bool)
	mistakes []string
}

// wrong keeps a mistake unless it is known: a struct that embeds another also has its Check.
func (l *loader) wrong(mistake string) {
	if !slices.Contains(l.mistakes, mistake) {
		l.mistakes = append(l.mistakes, mistake)
	}
}

func (l *loader) fill(v reflect.Value) {
	before := len(l.mistakes)
	for i := range v.NumField() {
		field := v.Type().Field(i)
		if inner(field) {
			l.fill(v.Field(i))
			continue
		}
		s, ok := settingOf(field)
		if !ok {
			continue
		}
		if err := l.set(v.Field(i), s); err != nil {
			l.wrong(s.name + " " + err.Error())
		}
	}
	// An embedded struct of an unexported type cannot be asked itself, but its method is also its holder's.
	if len(l.mistakes) != before || !v.Addr().CanInterface() {
		return
	}
	if c, ok := v.Addr().Interface().(checker); ok {
		if err := c.Check(); err != nil {
			l.wrong(err.Error())
		}
	}
}

func (l *loader) set(v reflect.Value, s setting) error {
	text, _ := l.lookup(s.name)
	if text = strings.TrimSpace(text); text == "" {
		if s.required {
			return fmt.Errorf("is not set: expected %s (%s)", kinds[s.kind].expected, s.doc)
		}
		if text = s.fallback; text == "" {
			return nil
		}
	}
	value, err := kinds[s.kind].parse(text)
	if err != nil {
		shown := strconv.Quote(text)
		if s.secret || s.kind == urlType {
			// A URL may carry a password.
			shown = "something else"
		}
		return fmt.Errorf("is %s: expected %s", shown, kinds[s.kind].expected)
	}
	v.Set(reflect.ValueOf(value))
	return nil
}

// kind is one type a setting may have.
type kind struct {
	expected string
	parse    func(string) (any, error)
}

var (
	urlType    = reflect.TypeFor[*url.URL]()
	secretType = reflect.TypeFor[Secret]()
)

var kinds = map[reflect.Type]kind{
	reflect.TypeFor[string](): {"a text", func(s string) (any, error) { return s, nil }},
	reflect.TypeFor[bool]():   {"true or false", func(s string) (any, error) { return strconv.ParseBool(s) }},
	reflect.TypeFor[int]():    {"a whole number", func(s string) (any, error) { return strconv.Atoi(s) }},
	reflect.TypeFor[float64](): {"a number of at least 0 such as 0.15", func(s string) (any, error) {
		f, err := strconv.ParseFloat(s, 64)
		if err == nil && (math.IsNaN(f) || math.IsInf(f, 0) || f < 0) {
			err = errors.New("no such number")
		}
		return f, err
	}},
	reflect.TypeFor[time.Duration](): {"a duration of at least 0 such as 250ms, 15s or 5m", func(s string) (any, error) {
		d, err := time.ParseDuration(s)
		if err == nil && d < 0 {
			err = errors.New("negative")
		}
		return d, err
	}},
	reflect.TypeFor[[]string](): {"a list separated by commas", func(s string) (any, error) {
		var list []string
		for part := range strings.SplitSeq(s, ",") {
			if part = strings.TrimSpace(part); part != "" {
				list = append(list, part)
			}
		}
		return list, nil
	}},
	urlType: {"an absolute URL such as http://localhost:3000/path", func(s string) (any, error) {
		u, err := url.Parse(s)
		if err == nil && (u.Scheme == "" || u.Host == "") {
			err = errors.New("not absolute")
		}
		return u, err
	}},
	secretType: {"a secret text", func(s string) (any, error) { return NewSecret(s), nil }},
}

// setting is what a field's tags say.
type setting struct {
	name, fallback, doc string
	required, secret    bool
	kind                reflect.Type
}

func inner(field reflect.StructField) bool {
	return (field.IsExported() || field.Anonymous) && field.Type.Kind() == reflect.Struct && field.Tag.Get("env") == ""
}

func settingOf(field reflect.StructField) (setting, bool) {
	name := field.Tag.Get("env")
	if name == "" || !field.IsExported() {
		return setting{}, false
	}
	s := setting{
		name: name, fallback: field.Tag.Get("default"), doc: field.Tag.Get("doc"),
		required: field.Tag.Get("required") == "true",
		secret:   field.Tag.Get("secret") == "true" || field.Type == secretType,
		kind:     field.Type,
	}
	switch _, known := kinds[s.kind]; {
	case !known:
		panic(fmt.Sprintf("config: %s cannot be a %s", name, s.kind))
	case s.secret && s.kind != secretType:
		panic(fmt.Sprintf("config: %s is a secret and must be a config.Secret", name))
	case s.secret && s.fallback != "":
		panic(fmt.Sprintf("config: %s is a secret and must have no default", name))
	case s.doc == "":
		panic(fmt.Sprintf("config: %s has no doc tag", name))
	}
	return s, true
}

// settingsOf lists a struct's settings in the order of its fields.
func settingsOf(t reflect.Type) []setting {
	var all []setting
	for i := range t.NumField() {
		field := t.Field(i)
		if inner(field) {
			all = append(all, settingsOf(field.Type)...)
		} else if s, ok := settingOf(field); ok {
			all = append(all, s)
		}
	}
	return all
}

// SecretNames lists the variables of T that are secrets, so that a program can ask a secret store for them first.
func SecretNames[T any]() []string {
	var names []string
	for _, s := range settingsOf(reflect.TypeFor[T]()) {
		if s.secret {
			names = append(names, s.name)
		}
	}
	return names
}
