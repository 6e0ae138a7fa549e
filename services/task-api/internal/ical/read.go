package ical

import (
	"errors"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/recurrence"
	"github.com/taskflow-suite/taskflow/pkg/task"
	"github.com/taskflow-suite/taskflow/services/task-api/internal/importing"
)

// reader turns the to-dos of a calendar into items.
type reader struct {
	owner *time.Location
	// places are what VTIMEZONEs say their zone is called elsewhere, by TZID.
	places map[string]string
	zones  map[string]*time.Location // nil for one that is not known
}

// Read reads the to-dos of a file. owner is the zone of times that name none. The error is for the caller: the file is not a
// calendar, or (errs.Invalid) it holds too many.
func Read(text string, owner *time.Location) (importing.File, error) {
	if !utf8.ValidString(text) {
		return importing.File{}, errors.New("the file is not UTF-8")
	}
	events := 0
	components, err := parse(text, func(name string) bool {
		if name == "VEVENT" || name == "VJOURNAL" {
			events++
		}
		return name == "VTODO" || name == "VTIMEZONE"
	})
	if err != nil {
		return importing.File{}, err
	}
	var file importing.File
	if events > 0 {
		file.Warnings.Add("%d events and journals were passed over: only to-dos (VTODO) are tasks", events)
	}
	r := &reader{owner: owner, places: map[string]string{}, zones: map[string]*time.Location{}}
	var todos []*component
	for _, c := range components {
		if c.name == "VTODO" {
			todos = append(todos, c)
		} else if place := c.text("X-LIC-LOCATION"); place != "" {
			r.places[c.text("TZID")] = place
		}
	}
	if len(todos) > importing.MaxItems {
		return importing.File{}, importing.TooMany(len(todos))
	}
	file.Items = r.items(todos)
	return file, nil
}

// place is where the first occurrence of a repeating to-do is in the file's items.
type place struct {
	item  int
	start time.Time
}

// items reads all to-dos. A changed occurrence (RECURRENCE-ID) belongs to the item of its series if it is the first, which is
// all that is made of a series at first.
func (r *reader) items(todos []*component) []importing.Item {
	var items []importing.Item
	masters := map[string]place{}
	for _, c := range todos {
		if c.property("RECURRENCE-ID") != nil {
			continue
		}
		item, start := r.item(c)
		items = append(items, item)
		if item.UID != "" && item.Fields.Recurrence != nil {
			masters[item.UID] = place{len(items) - 1, start}
		}
	}
	for _, c := range todos {
		which := c.property("RECURRENCE-ID")
		if which == nil {
			continue
		}
		item, _ := r.item(c)
		item.Fields.Recurrence = nil
		master, known := masters[item.UID]
		if m, ok := r.moment(&item, which); known && ok && m.instant(r.owner).Equal(master.start) {
			first := &items[master.item]
			first.Own, first.Done = &item.Fields, item.Done
			for _, said := range item.Warnings.Said {
				first.Warn("%s", said)
			}
			continue
		}
		if known {
			item.Warn("it is one changed occurrence of a to-do that repeats, and became a task of its own")
		}
		items = append(items, item)
	}
	return items
}

// item reads one to-do. start is its first occurrence, if it repeats.
func (r *reader) item(c *component) (item importing.Item, start time.Time) {
	item = importing.Item{Line: c.number, UID: clip(c.text("UID"))}
	item.SetDescription(c.text("DESCRIPTION"))
	item.SetTitle(c.text("SUMMARY"))
	if first, _, _ := strings.Cut(item.Fields.Description, "\n"); item.Fields.Title == "" && first != "" {
		item.SetTitle(first)
		item.Warn("it has no summary; its title is the first line of its description")
	}
	item.Fields.Priority = r.priority(c, &item)
	for i := range c.properties {
		switch p := &c.properties[i]; p.name {
		case "CATEGORIES":
			for _, tag := range texts(p.value) {
				item.AddTag(tag)
			}
		case "LOCATION", "URL":
			item.Keep(map[string]string{"LOCATION": "Location", "URL": "URL"}[p.name], unescape(p.value))
		}
	}
	due, ok := r.due(c, &item)
	if ok {
		item.Fields.Due = due.due()
		r.recurrence(c, &item, due)
	} else if p := c.property("RRULE"); p != nil {
		item.Warn("it repeats but has no date to begin with: %s", importing.Quote(p.value))
		item.Keep("Repeats", p.value)
	}
	r.status(c, &item)
	for _, inner := range c.components {
		if inner.name == "VALARM" {
			r.alarm(c, inner, &item)
		}
	}
	if ok {
		start = due.instant(r.owner)
	}
	return item, start
}

func (r *reader) priority(c *component, item *importing.Item) task.Priority {
	p := c.property("PRIORITY")
	if p == nil {
		return task.None
	}
	n, err := strconv.Atoi(strings.TrimSpace(p.value))
	switch {
	case err != nil || n < 0 || n > 9:
		item.Warn("its priority is none of 0 to 9: %s", importing.Quote(p.value))
		return task.None
	case n == 0:
		return task.None
	case n == 1:
		return task.Urgent
	case n < 5:
		return task.High
	case n == 5:
		return task.Medium
	default:
		return task.Low
	}
}

// due is when the to-do is due: DUE, or DTSTART with DURATION, or DTSTART.
func (r *reader) due(c *component, item *importing.Item) (moment, bool) {
	if p := c.property("DUE"); p != nil {
		if m, ok := r.moment(item, p); ok {
			return m, true
		}
		return moment{}, false
	}
	p := c.property("DTSTART")
	if p == nil {
		return moment{}, false
	}
	m, ok := r.moment(item, p)
	if !ok {
		return moment{}, false
	}
	if d := c.property("DURATION"); d != nil {
		if long, ok := parseDuration(strings.TrimSpace(d.value)); ok && long >= 0 && long < 100*365*24*time.Hour {
			if m.date {
				long = long.Truncate(24 * time.Hour)
			}
			m.wall = m.wall.Add(long)
			return m, true
		}
	}
	if c.property("RRULE") == nil {
		item.Warn("it has no due date; the date on which it starts was taken")
	}
	return m, true
}

// moment reads a DATE or DATE-TIME property. What it cannot read it warns of and keeps.
func (r *reader) moment(item *importing.Item, p *line) (moment, bool) {
	wall, date, utc, ok := parseWall(strings.ToUpper(strings.TrimSpace(p.value)))
	if !ok {
		item.Warn("line %d is not a date or time: %s", p.number, importing.Quote(p.value))
		item.Keep(p.name, p.value)
		return moment{}, false
	}
	m := moment{wall: wall, date: date}
	tzid := p.param("TZID")
	switch {
	case date:
	case utc:
		m.zone, m.named = time.UTC, true
	case tzid == "":
		m.zone = r.owner
	default:
		if m.zone = r.zone(tzid); m.zone != nil {
			m.named = true
		} else {
			item.Warn("line %d has a time zone that is not known, %s; the time was read in yours", p.number, importing.Quote(tzid))
			m.zone = r.owner
		}
	}
	return m, true
}

// zone is the zone of a TZID: its own name, the one the file says it has elsewhere, or one at the end of a longer name, as
// /freeassociation.sourceforge.net/Europe/Oslo. nil if there is none.
func (r *reader) zone(tzid string) *time.Location {
	if zone, seen := r.zones[tzid]; seen {
		return zone
	}
	var found *time.Location
	names := []string{tzid, r.places[tzid]}
	if parts := strings.Split(tzid, "/"); len(tzid) < 200 {
		for n := 3; n > 1; n-- {
			if len(parts) > n {
				names = append(names, strings.Join(parts[len(parts)-n:], "/"))
			}
		}
	}
	for _, name := range names {
		if zone, err := task.Zone(name); err == nil && found == nil {
			found = zone
		}
	}
	r.zones[tzid] = found
	return found
}

// recurrence reads how the to-do repeats. What cannot be kept so is warned of, and kept in words.
func (r *reader) recurrence(c *component, item *importing.Item, due moment) {
	p := c.property("RRULE")
	for _, name := range []string{"RDATE", "EXDATE", "EXRULE"} {
		if q := c.property(name); q != nil {
			item.Warn("line %d: dates added to a rule or taken from it (%s) are not kept", q.number, name)
		}
	}
	if p == nil {
		return
	}
	until := due.zone
	if due.date {
		until = nil
	}
	rule, err := recurrence.Parse(importRule(strings.TrimSpace(p.value), until))
	if err != nil {
		item.Warn("line %d: its rule cannot be kept, for a rule %s: %s", p.number, errs.Text(err), importing.Quote(p.value))
		item.Keep("Repeats", p.value)
		return
	}
	if start := c.property("DTSTART"); start != nil {
		if m, ok := r.moment(item, start); ok && !m.instant(r.owner).Equal(due.instant(r.owner)) {
			item.Warn("it repeats by its start; here it repeats by its due date")
		}
	}
	kept := &task.Recurrence{Rule: rule.String(), Anchor: task.OnSchedule, CatchUp: task.Latest}
	if due.named && due.zone.String() != r.owner.String() {
		kept.TimeZone = due.zone.String()
	}
	if own := c.text(zoneProperty); own != "" {
		if zone := r.zone(own); zone != nil {
			kept.TimeZone = zone.String()
		}
	}
	if strings.EqualFold(c.text(anchorProperty), string(task.OnCompletion)) {
		kept.Anchor = task.OnCompletion
	}
	switch catchUp := task.CatchUp(strings.ToLower(c.text(catchUpProperty))); catchUp {
	case task.All, task.PassOver:
		kept.CatchUp = catchUp
	default:
	}
	item.Fields.Recurrence = kept
}

// status reads whether it is done. Of what is done and repeats nobody can tell when it is to be done again.
func (r *reader) status(c *component, item *importing.Item) {
	status := strings.ToUpper(strings.TrimSpace(c.text("STATUS")))
	switch {
	case status == "CANCELLED":
		item.Done = true
		item.Warn("it was cancelled, and became a completed task")
	case status == "COMPLETED", status == "" && (c.property("COMPLETED") != nil || c.text("PERCENT-COMPLETE") == "100"):
		item.Done = true
	}
	if repeats := item.Fields.Recurrence; item.Done && repeats != nil {
		item.Fields.Recurrence = nil
		item.Keep("Repeated", repeats.Rule)
		item.Warn("it is done, so that it does not repeat any more")
	}
}

// alarm reads a reminder: one before the due date becomes minutes before it, any other a time of its own.
func (r *reader) alarm(c, alarm *component, item *importing.Item) {
	p := alarm.property("TRIGGER")
	if p == nil || strings.EqualFold(alarm.text("ACTION"), "NONE") {
		return
	}
	value := strings.ToUpper(strings.TrimSpace(p.value))
	offset, relative := parseDuration(value)
	if !relative {
		if m, ok := r.moment(item, p); ok {
			r.remindAt(item, p, m.instant(r.owner))
		}
		return
	}
	from := c.property("DUE")
	if !strings.EqualFold(p.param("RELATED"), "END") || from == nil {
		if start := c.property("DTSTART"); start != nil {
			from = start
		}
	}
	if from == nil || item.Fields.Due.IsZero() {
		item.Warn("line %d: a reminder has no date to count from", p.number)
		return
	}
	m, ok := r.moment(item, from)
	if !ok {
		return
	}
	at := m.instant(r.owner).Add(offset)
	// Days are counted on the calendar: across a change of the clocks one has 23 or 25 hours.
	base := item.Fields.Due.At
	if day := item.Fields.Due.Date; day != "" {
		date, err := time.Parse(time.DateOnly, day)
		if err != nil {
			return
		}
		base = date.Add(nine * time.Minute)
		if m.date {
			at = m.wall.Add(offset)
		} else {
			at = at.In(r.owner)
			at = time.Date(at.Year(), at.Month(), at.Day(), at.Hour(), at.Minute(), at.Second(), 0, time.UTC)
		}
	}
	before := base.Sub(at)
	if before < 0 || before > task.MaxReminder*time.Minute {
		if item.Fields.Due.Date != "" {
			at = recurrence.Instant(at, r.owner)
		}
		if item.Fields.Recurrence != nil {
			item.Warn("line %d: a reminder after the due date holds for the first occurrence only", p.number)
		}
		r.remindAt(item, p, at)
		return
	}
	if len(item.Fields.Reminders) == task.MaxReminders {
		item.Warn("line %d: a task has at most %d reminders", p.number, task.MaxReminders)
		return
	}
	item.Fields.Reminders = append(item.Fields.Reminders, int(before/time.Minute))
}

func (r *reader) remindAt(item *importing.Item, p *line, at time.Time) {
	if len(item.Fields.RemindAt) == task.MaxReminders {
		item.Warn("line %d: a task has at most %d reminders at times of their own", p.number, task.MaxReminders)
		return
	}
	item.Fields.RemindAt = append(item.Fields.RemindAt, at.UTC())
}
