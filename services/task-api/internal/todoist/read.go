// Package todoist reads the CSV files in which Todoist keeps templates and backups: one row per task, comment or section.
//
// It owns the columns and the English in which their dates are written (When). It refuses to lose anything: what a task has
// no field for, and a date it does not understand, goes into the description, and a warning says so.
package todoist

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/taskflow-suite/taskflow/pkg/recurrence"
	"github.com/taskflow-suite/taskflow/pkg/task"
	"github.com/taskflow-suite/taskflow/services/task-api/internal/importing"
)

// Bounds of a file besides its size.
const (
	maxColumns = 64
	maxRows    = 10 * importing.MaxItems // comments and sections included
	maxIndent  = 10
)

// reader turns rows into items.
type reader struct {
	columns map[string]int
	row     []string
	line    int

	owner *time.Location
	now   time.Time

	file    importing.File
	section string
	// parents are the titles of the tasks above the present one, by indent.
	parents []string
}

// Read reads a file. owner is the zone of times that name none, and now what "tomorrow" is counted from. The error is for the
// caller: the file is no such CSV, or (errs.Invalid) it holds too many tasks.
func Read(text string, owner *time.Location, now time.Time) (importing.File, error) {
	if !utf8.ValidString(text) {
		return importing.File{}, errors.New("the file is not UTF-8")
	}
	rows := csv.NewReader(strings.NewReader(strings.TrimPrefix(text, "\uFEFF")))
	rows.FieldsPerRecord, rows.LazyQuotes, rows.ReuseRecord = -1, true, true
	r := &reader{owner: owner, now: now}
	for n := 0; ; n++ {
		row, err := rows.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return importing.File{}, fmt.Errorf("the file is not CSV: %w", err)
		}
		if n > maxRows {
			return importing.File{}, fmt.Errorf("the file has more than %d rows", maxRows)
		}
		r.row = row
		r.line, _ = rows.FieldPos(0)
		if r.columns == nil {
			if err := r.header(); err != nil {
				return importing.File{}, err
			}
			continue
		}
		r.read()
	}
	if r.columns == nil {
		return importing.File{}, errNoHeader
	}
	if n := len(r.file.Items); n > importing.MaxItems {
		return importing.File{}, importing.TooMany(n)
	}
	return r.file, nil
}

var errNoHeader = errors.New("the first row must name the columns, TYPE and CONTENT among them")

func (r *reader) header() error {
	if len(r.row) > maxColumns {
		return fmt.Errorf("a row has more than %d columns", maxColumns)
	}
	r.columns = map[string]int{}
	for i, name := range r.row {
		r.columns[strings.ToUpper(strings.TrimSpace(name))] = i
	}
	for _, needed := range []string{"TYPE", "CONTENT"} {
		if _, ok := r.columns[needed]; !ok {
			return errNoHeader
		}
	}
	return nil
}

// column is the row's value in a column, empty if it has none.
func (r *reader) column(name string) string {
	i, ok := r.columns[name]
	if !ok || i >= len(r.row) {
		return ""
	}
	return strings.TrimSpace(r.row[i])
}

func (r *reader) read() {
	content := r.column("CONTENT")
	switch kind := strings.ToLower(r.column("TYPE")); kind {
	case "task":
		// Beyond the bound they are only counted.
		if len(r.file.Items) < importing.MaxItems {
			r.task(content)
		} else {
			r.file.Items = append(r.file.Items, importing.Item{})
		}
	case "note":
		if len(r.file.Items) == 0 {
			r.file.Warnings.Add("line %d: a comment on the project belongs to no task: %s", r.line, importing.Quote(content))
			return
		}
		if content != "" {
			r.file.Items[len(r.file.Items)-1].Append("\n" + content)
		}
	case "section":
		r.section, r.parents = content, nil
	case "", "meta":
		// Rows between tasks, and how the project looks in Todoist.
	default:
		r.file.Warnings.Add("line %d: a row of the type %s was passed over", r.line, importing.Quote(kind))
	}
}

// label is a word that is a tag: @errand, but not the end of an address.
var label = regexp.MustCompile(`(^|\s)@([^\s@]+)`)

func (r *reader) task(content string) {
	item := importing.Item{Line: r.line}
	item.SetDescription(r.column("DESCRIPTION"))
	content = strings.TrimPrefix(content, "* ") // A task that cannot be ticked off in Todoist.
	var labels []string
	for _, found := range label.FindAllStringSubmatch(content, -1) {
		labels = append(labels, found[2])
	}
	title := strings.Join(strings.Fields(label.ReplaceAllString(content, "$1")), " ")
	if title == "" {
		title = content
	}
	item.SetTitle(title)
	for _, tag := range labels {
		item.AddTag(tag)
	}
	for _, tag := range strings.FieldsFunc(r.column("TAGS"), func(c rune) bool { return c == ',' || c == ';' }) {
		item.AddTag(strings.TrimPrefix(strings.TrimSpace(tag), "@"))
	}
	r.priority(&item)
	r.parent(&item)
	for _, kept := range []struct{ column, what string }{{"RESPONSIBLE", "Responsible"}, {"DEADLINE", "Deadline"}} {
		if value := r.column(kept.column); value != "" {
			item.Keep(kept.what, value)
		}
	}
	if long := r.column("DURATION"); long != "" && !strings.EqualFold(long, "none") {
		item.Keep("Duration", strings.TrimSpace(long+" "+r.unit()))
	}
	r.date(&item)
	r.file.Items = append(r.file.Items, item)
}

func (r *reader) unit() string {
	if unit := r.column("DURATION_UNIT"); !strings.EqualFold(unit, "none") {
		return unit
	}
	return ""
}

func (r *reader) priority(item *importing.Item) {
	text := r.column("PRIORITY")
	switch text {
	case "1":
		item.Fields.Priority = task.Urgent
	case "2":
		item.Fields.Priority = task.High
	case "3":
		item.Fields.Priority = task.Medium
	case "4", "":
		item.Fields.Priority = task.None
	default:
		item.Fields.Priority = task.None
		item.Warn("line %d: its priority is none of 1 to 4: %s", r.line, importing.Quote(text))
	}
}

// parent notes what a task was part of.
func (r *reader) parent(item *importing.Item) {
	indent, err := strconv.Atoi(r.column("INDENT"))
	if err != nil || indent < 1 || indent > maxIndent {
		indent = 1
	}
	if above := min(indent-1, len(r.parents)); above > 0 {
		item.Keep("Part of", r.parents[above-1])
		r.parents = r.parents[:above]
	} else {
		r.parents = nil
	}
	r.parents = append(r.parents, item.Fields.Title)
	if r.section != "" {
		item.Keep("Section", r.section)
	}
}

// date reads when the task is due.
func (r *reader) date(item *importing.Item) {
	text := r.column("DATE")
	if text == "" {
		return
	}
	zone, own := r.owner, ""
	if name := r.column("TIMEZONE"); name != "" {
		if named, err := task.Zone(name); err == nil {
			zone = named
			if zone.String() != r.owner.String() {
				own = zone.String()
			}
		} else {
			item.Warn("line %d: its time zone is not known, %s; yours was taken", r.line, importing.Quote(name))
		}
	}
	when, ok := Parse(text, r.now.In(zone))
	if language := r.column("DATE_LANG"); ok && language != "" && !strings.EqualFold(language, "en") && !when.numeric {
		ok = false
	}
	if !ok {
		item.Keep("Date", text)
		item.Warn("line %d: its date was not understood, %s; it is in the description", r.line, importing.Quote(text))
		return
	}
	item.Fields.Due = when.due(zone)
	if when.Rule == "" {
		return
	}
	item.Fields.Recurrence = &task.Recurrence{Rule: when.Rule, Anchor: task.OnSchedule, CatchUp: task.Latest, TimeZone: own}
	if when.FromCompletion {
		item.Fields.Recurrence.Anchor = task.OnCompletion
	}
}

// due is the first time of a When.
func (w When) due(zone *time.Location) task.Due {
	if !w.HasTime {
		return task.Due{Date: w.At.Format(time.DateOnly)}
	}
	return task.Due{At: recurrence.Instant(w.At, zone).UTC()}
}
