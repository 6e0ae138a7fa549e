package offline

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/taskflow-suite/taskflow/services/internal/agenttools"
)

// answer carries out what a message asks for. It returns the answer's text, or errNext when a tool has to be called before.
func (r *run) answer(message string) (string, error) {
	all := wishes(message, r.now)
	if len(all) == 1 && all[0].verb == choose {
		all = r.chosen(all[0])
	}
	var said []string
	for _, w := range all {
		text, err := r.carry(w)
		if errors.Is(err, errNext) {
			return "", err
		}
		said = append(said, r.explained(text, err))
	}
	return strings.Join(said, "\n"), nil
}

// explained is what is said when a plan ended early.
func (r *run) explained(text string, err error) string {
	if err == nil && strings.TrimSpace(text) == "" {
		return "Nothing came back that I could tell you. Please look at your tasks."
	}
	if err == nil {
		return text
	}
	if q, ok := errors.AsType[question](err); ok {
		return q.text
	}
	if w, ok := errors.AsType[waiting](err); ok {
		said := strings.TrimSpace("This waits for your approval. " + text)
		if summary := strings.TrimSpace(w.summary); text == "" && strings.Contains(summary, " ") {
			said += sentenceOf(summary)
		}
		return said + " Say yes or no."
	}
	if f, ok := errors.AsType[failure](err); ok && strings.Contains(f.text, "nobody knows") {
		return "Nobody knows whether that was done: " + sentenceOf(f.text) + " Please look at your tasks before you ask for it again."
	} else if ok {
		return "That did not work: " + sentenceOf(f.text)
	}
	if n, ok := errors.AsType[missingToolError](err); ok {
		return "I cannot do that here: the tool " + n.tool + " is not available."
	}
	return "That did not work."
}

// chosen is the wish before the last question, with the task that was chosen.
func (r *run) chosen(c wish) []wish {
	n := len(r.history)
	if n < 2 || r.history[n-1].user || !r.history[n-2].user {
		return []wish{{verb: unknown}}
	}
	asked := strings.Contains(r.history[n-1].text, which)
	for _, w := range wishes(r.history[n-2].text, r.now) {
		if w.verb == unknown || w.verb == talk || w.verb == add || w.verb == choose {
			continue
		}
		if !asked {
			break
		}
		w.target.nth, w.target.all = c.target.nth, c.target.all
		return []wish{w}
	}
	return []wish{{verb: unknown}}
}

// carry carries out one wish.
func (r *run) carry(w wish) (string, error) {
	switch w.verb {
	case talk:
		return w.text, nil
	case add:
		return r.add(w)
	case list:
		return r.list(w.filter)
	case complete:
		return r.toggle(w.target, "open", agenttools.CompleteTasks, "Completed", false)
	case skip:
		return r.skip(w.target)
	case remind:
		return r.remind(w)
	case reopen:
		return r.reopen(w.target)
	case remove:
		return r.remove(w.target)
	case restore:
		return r.restore(w.target)
	case undo:
		return r.undo()
	case reschedule:
		return r.reschedule(w)
	case update:
		return r.update(w)
	case recall:
		return r.recall(w.text)
	case overview:
		return r.overview()
	case profile:
		return r.profile()
	case preview:
		return r.preview(w)
	default:
		return puzzled, nil
	}
}

func (r *run) add(w wish) (string, error) {
	var in addInput
	for _, d := range w.drafts {
		if d.when.unclear != "" {
			return d.when.unclear, nil
		}
		in.Tasks = append(in.Tasks, d.newTask(r.now))
	}
	got, err := r.ask(agenttools.AddTasks, in)
	if err != nil {
		return "", err
	}
	return r.listed("Added", got.Tasks.Tasks) + failed(got.Failures), nil
}

// listed says what was done to tasks, with what they are like now.
func (r *run) listed(done string, tasks []agenttools.Task) string {
	switch len(tasks) {
	case 0:
		return ""
	case 1:
		return done + " " + described(tasks[0], r.now) + "."
	}
	var lines []string
	for _, t := range tasks[:min(len(tasks), maxNamed)] {
		lines = append(lines, described(t, r.now))
	}
	said := fmt.Sprintf("%s %d tasks:\n%s", done, len(tasks), numbered(lines))
	if more := len(tasks) - len(lines); more > 0 {
		said += fmt.Sprintf("\nand %d more.", more)
	}
	return said
}

// input is the filter as find_tasks takes it: with one tag, the others are looked at by keep.
func (f filter) input() findInput {
	in := findInput{Query: f.query, Status: f.status, Priorities: f.priorities, Overdue: f.overdue}
	if len(f.tags) > 0 {
		in.Tag = f.tags[0]
	}
	if f.status != "open" {
		return in
	}
	if !f.from.IsZero() {
		in.From = f.from.Format(time.DateOnly)
	}
	if !f.to.IsZero() {
		in.To = f.to.AddDate(0, 0, -1).Format(time.DateOnly)
	}
	return in
}

// keep drops what find_tasks has no filter for: a second tag, and when a task was completed.
func (f filter) keep(found []agenttools.Task, now time.Time) []agenttools.Task {
	return slices.DeleteFunc(found, func(t agenttools.Task) bool {
		for _, tag := range f.tags[min(1, len(f.tags)):] {
			if !slices.Contains(t.Tags, tag) {
				return true
			}
		}
		if f.status != "completed" || f.from.IsZero() {
			return false
		}
		at, err := time.Parse(time.RFC3339, t.CompletedAt)
		day := dayOf(at.In(now.Location()))
		return err != nil || day.Before(f.from) || !f.to.IsZero() && !day.Before(f.to)
	})
}

func (r *run) list(f filter) (string, error) {
	found, err := r.find(f.input())
	if err != nil {
		return "", err
	}
	found = f.keep(found, r.now)
	what := f.status
	if f.overdue {
		what = "overdue"
	}
	if f.label != "" {
		what += " tasks " + f.label
	} else {
		what += " tasks"
	}
	if len(found) == 0 {
		return "I found no " + what + ".", nil
	}
	var lines []string
	for _, t := range found[:min(len(found), 20)] {
		lines = append(lines, described(t, r.now))
	}
	said := fmt.Sprintf("%d %s:\n%s", len(found), what, numbered(lines))
	if len(found) == 1 {
		said = strings.Replace(said, " tasks", " task", 1)
	}
	if more := len(found) - len(lines); more > 0 {
		said += fmt.Sprintf("\nand %d more.", more)
	}
	return said, nil
}

func idsOf(tasks []agenttools.Task) idsInput {
	var in idsInput
	for _, t := range tasks {
		in.IDs = append(in.IDs, t.ID)
	}
	return in
}

func (r *run) toggle(t target, status, tool, done string, skip bool) (string, error) {
	tasks, err := r.pick(t, status)
	if err != nil {
		return "", err
	}
	in := idsOf(tasks)
	in.Skip = skip
	got, err := r.ask(tool, in)
	if err != nil {
		return "It concerns " + joined(tasks) + ".", err
	}
	said := done + " " + joined(got.Tasks.Tasks) + "."
	if len(got.Tasks.Tasks) == 0 {
		said = ""
	}
	return strings.TrimSpace(said + failed(got.Failures)), nil
}

func (r *run) skip(t target) (string, error) {
	return r.toggle(t, "open", agenttools.CompleteTasks, "Skipped", true)
}

func (r *run) reopen(t target) (string, error) {
	said, err := r.toggle(t, "completed", agenttools.ReopenTasks, "Reopened", false)
	if foundNone(err) {
		if again, err := r.toggle(t, skipped, agenttools.ReopenTasks, "Reopened", false); !foundNone(err) {
			return again, err
		}
	}
	return said, err
}

// foundNone reports whether a plan ended because there is no such task.
func foundNone(err error) bool {
	q, isQuestion := errors.AsType[question](err)
	return isQuestion && strings.HasPrefix(q.text, "I found no")
}

// remind has tasks ring at a time of their own, and adds what there is no task of.
func (r *run) remind(w wish) (string, error) {
	if w.when.unclear != "" {
		return w.when.unclear, nil
	}
	at := w.when.alarm(r.now)
	if !at.After(r.now) {
		return "That time is over. At what time shall I remind you?", nil
	}
	tasks, err := r.pick(w.target, "open")
	if foundNone(err) && len(w.drafts) > 0 {
		return r.add(w)
	}
	if err != nil {
		return "", err
	}
	var in updateInput
	for _, t := range tasks {
		// What rang already makes room.
		ringing := slices.DeleteFunc(slices.Clone(t.RemindAt), func(said string) bool {
			was, err := time.Parse(time.RFC3339, said)
			return err == nil && !was.After(r.now)
		})
		in.Tasks = append(in.Tasks, changedTask{ID: t.ID, RemindAt: append(ringing, at.Format(time.RFC3339))})
	}
	got, err := r.ask(agenttools.UpdateTasks, in)
	if err != nil {
		return "It concerns " + joined(tasks) + ".", err
	}
	return strings.TrimSpace(r.listed("Changed", got.Tasks.Tasks) + failed(got.Failures)), nil
}

func (r *run) remove(t target) (string, error) {
	tasks, err := r.pick(t, "open")
	if foundNone(err) {
		tasks, err = r.pick(t, "completed")
	}
	if err != nil {
		return "", err
	}
	got, err := r.ask(agenttools.DeleteTasks, idsOf(tasks))
	if err != nil {
		return "I would delete " + joined(tasks) + ".", err
	}
	return strings.TrimSpace("Deleted " + joined(got.Tasks.Tasks) + "." + failed(got.Failures)), nil
}

func (r *run) restore(t target) (string, error) {
	tasks, err := r.pick(t, "deleted")
	if _, isQuestion := errors.AsType[question](err); isQuestion && t.before {
		// What was deleted may not have been named: then it is what is in the trash, if that is one task.
		found, findErr := r.find(findInput{Status: "deleted"})
		if findErr != nil {
			return "", findErr
		}
		one, pickErr := single(found, "", "deleted", r)
		if pickErr != nil {
			return "", pickErr
		}
		tasks, err = []agenttools.Task{one}, nil
	}
	if err != nil {
		return "", err
	}
	got, err := r.ask(agenttools.RestoreTasks, idsOf(tasks))
	if err != nil {
		return "It concerns " + joined(tasks) + ".", err
	}
	return strings.TrimSpace("Restored " + joined(got.Tasks.Tasks) + "." + failed(got.Failures)), nil
}

// What was done, as this model or the agent after an approval says it. Titles are quoted and have no line breaks, so none of
// them can say it.
var (
	saidCompleted = regexp.MustCompile(`(?m)^(?:Completed "|Done: \d+ tasks? completed)`)
	saidSkipped   = regexp.MustCompile(`(?m)^(?:Skipped "|Done: \d+ tasks? skipped)`)
	saidDeleted   = regexp.MustCompile(`(?m)^(?:Deleted "|Done: \d+ tasks? deleted)`)
)

// undo takes back what the last answer says was done, if there is a tool that does.
func (r *run) undo() (string, error) {
	for i := len(r.history) - 1; i >= 0; i-- {
		if r.history[i].user {
			continue
		}
		switch said := r.history[i].text; {
		case saidCompleted.MatchString(said):
			return r.toggle(target{before: true, all: true}, "completed", agenttools.ReopenTasks, "Reopened", false)
		case saidSkipped.MatchString(said):
			return r.toggle(target{before: true, all: true}, skipped, agenttools.ReopenTasks, "Reopened", false)
		case saidDeleted.MatchString(said):
			return r.restore(target{before: true, all: true})
		}
		break
	}
	return "I can undo completing, skipping and deleting only. Say what to change instead.", nil
}

func (r *run) reschedule(w wish) (string, error) {
	if w.when.unclear != "" {
		return w.when.unclear, nil
	}
	tasks, err := r.pick(w.target, "open")
	if err != nil {
		return "", err
	}
	in := rescheduleInput{Scope: w.scope()}
	var rules updateInput
	for _, t := range tasks {
		in.Tasks = append(in.Tasks, newDue{t.ID, r.newDue(w, t)})
		if rule, ok := onWeekday(t.Repeats, w.rule); ok && w.following {
			rules.Tasks = append(rules.Tasks, changedTask{ID: t.ID, Repeats: rule})
		}
	}
	got, err := r.ask(agenttools.RescheduleTasks, in)
	if err != nil {
		return "It concerns " + joined(tasks) + ".", err
	}
	if len(rules.Tasks) > 0 && len(got.Failures) == 0 {
		// The rule names a weekday, which would go on.
		if got, err = r.ask(agenttools.UpdateTasks, rules); err != nil {
			return "It concerns " + joined(tasks) + ".", err
		}
	}
	return strings.TrimSpace(r.listed("Moved", got.Tasks.Tasks) + failed(got.Failures)), nil
}

// scope is how far a change reaches, as the tools take it.
func (w wish) scope() string {
	if w.following {
		return "following"
	}
	return ""
}

// onWeekday is a weekly rule of one weekday on another one; ok is false for all others, of which nobody knows what is meant.
func onWeekday(rrule string, to rule) (moved string, ok bool) {
	parts := strings.Split(rrule, ";")
	if !slices.Contains(parts, "FREQ=WEEKLY") || len(to.weekdays) != 1 {
		return "", false
	}
	for i, part := range parts {
		if days, isDays := strings.CutPrefix(part, "BYDAY="); isDays && slices.Contains(dayNames[:], days) {
			parts[i] = "BYDAY=" + dayNames[to.weekdays[0]]
			return strings.Join(parts, ";"), true
		}
	}
	return "", false
}

// newDue is when a task is to be due. Its time of day stays where only a day is said, and its day where only a time is.
func (r *run) newDue(w wish, t agenttools.Task) string {
	if w.never {
		return nothing
	}
	day := moment{day: dayOf(r.now)}
	if date, err := time.Parse(time.DateOnly, t.Due); err == nil {
		day.day = date
	} else if at, err := time.Parse(time.RFC3339, t.Due); err == nil {
		at = at.In(r.now.Location())
		day = moment{day: dayOf(at), timed: true, minutes: at.Hour()*60 + at.Minute()}
	}
	switch {
	case w.by.n != 0 && (w.by.unit == "minute" || w.by.unit == "hour"):
		unit := time.Minute
		if w.by.unit == "hour" {
			unit = time.Hour
		}
		from := r.now
		if day.timed {
			from = wall(day.day, day.minutes, r.now.Location())
		}
		return moment{at: from.Add(time.Duration(w.by.n) * unit)}.due(r.now)
	case w.by.n != 0:
		day.day = shifted(day.day, w.by.n, w.by.unit)
		return day.due(r.now)
	case !w.when.at.IsZero():
		return w.when.due(r.now)
	case w.when.day.IsZero() && t.Due != "" && !day.day.Before(dayOf(r.now)):
		day.minutes, day.timed = w.when.minutes, true
		return day.due(r.now)
	case !w.when.timed && day.timed:
		day.day = w.when.day
		return day.due(r.now)
	default:
		return w.when.due(r.now)
	}
}

func (r *run) update(w wish) (string, error) {
	tasks, err := r.pick(w.target, "open")
	if err != nil {
		return "", err
	}
	in := updateInput{Scope: w.scope()}
	for _, t := range tasks {
		if w.patch.note != "" && t.Description != "" {
			// A list shows the beginning of a long description only, and what is there must not be lost.
			got, err := r.ask(agenttools.GetTasks, idsInput{IDs: []string{t.ID}})
			if err != nil {
				return "", err
			}
			if len(got.Tasks.Tasks) == 1 {
				t = got.Tasks.Tasks[0]
			}
		}
		in.Tasks = append(in.Tasks, w.patch.on(t))
	}
	got, err := r.ask(agenttools.UpdateTasks, in)
	if err != nil {
		return "It concerns " + joined(tasks) + ".", err
	}
	return strings.TrimSpace(r.listed("Changed", got.Tasks.Tasks) + failed(got.Failures)), nil
}

// on is the patch for a task: a note and reminders are added to those that are there.
func (p patch) on(t agenttools.Task) changedTask {
	c := changedTask{ID: t.ID, Title: p.title, Description: p.note, Priority: p.priority, AddTags: p.addTags, RemoveTags: p.removeTags}
	if p.note != "" && t.Description != "" {
		c.Description = t.Description + "\n" + p.note
	}
	if len(p.reminders) > 0 {
		c.Reminders = append(slices.Clone(t.Reminders), p.reminders...)
	}
	switch {
	case p.noRule:
		c.Repeats = nothing
	case p.rule.unit != "":
		c.Repeats = p.rule.rrule()
		if p.rule.done {
			c.RepeatsFrom = "completion"
		}
	}
	return c
}

func (r *run) recall(query string) (string, error) {
	got, err := r.ask(agenttools.SearchConversations, recallInput{Query: query, Limit: 5})
	if err != nil {
		return "", err
	}
	if len(got.Conversations) == 0 {
		return "I found no conversation about " + quote(query) + ".", nil
	}
	var lines []string
	for _, c := range got.Conversations[:min(len(got.Conversations), 5)] {
		line := strings.ReplaceAll(strings.TrimSpace(c.Snippet), "\n", " ")
		if line == "" {
			line = c.Title
		}
		lines = append(lines, strings.TrimSpace(dueWords(c.UpdatedAt, r.now)+": "+strings.ReplaceAll(line, `"`, "'")))
	}
	return "I found this in our conversations:\n" + numbered(lines), nil
}

func (r *run) profile() (string, error) {
	got, err := r.ask(agenttools.GetProfile, struct{}{})
	if err != nil {
		return "", err
	}
	zone, _ := got.raw["time_zone"].(string)
	if zone == "" {
		zone = r.now.Location().String()
	}
	return "Your time zone is " + zone + ", where it is " + r.now.Format("15:04 on Monday 2 January 2006") + ".", nil
}

func (r *run) overview() (string, error) {
	got, err := r.ask(agenttools.GetOverview, struct{}{})
	if err != nil {
		return "", err
	}
	var said []string
	for _, name := range []string{"open", "overdue", "due_today", "completed", "deleted"} {
		if n, isNumber := got.raw[name].(float64); isNumber {
			said = append(said, fmt.Sprintf("%d %s", int(n), strings.ReplaceAll(name, "_", " ")))
		}
	}
	text := "Your tasks: " + strings.Join(said, ", ") + "."
	if len(got.Overdue) > 0 {
		text += "\nOverdue: " + joined(got.Overdue) + "."
	}
	if len(got.Coming) > 0 {
		text += "\nNext: " + joined(got.Coming) + "."
	}
	return text, nil
}

func (r *run) preview(w wish) (string, error) {
	first := draft{repeats: w.rule}.due(r.now)
	got, err := r.ask(agenttools.PreviewRecurrence, previewInput{Repeats: w.rule.rrule(), Start: first, Count: w.count})
	if err != nil {
		return "", err
	}
	var lines []string
	for _, at := range got.Occurrences[:min(len(got.Occurrences), w.count)] {
		lines = append(lines, dueWords(at, r.now))
	}
	if len(lines) == 0 {
		return "It never happens again.", nil
	}
	return "It repeats " + ruleWords(w.rule.rrule(), "") + ":\n" + numbered(lines), nil
}
