package offline

import (
	"fmt"
	"strings"
	"time"

	"github.com/taskflow-suite/taskflow/services/internal/agenttools"
)

// quote is a title as answers name it. What is between these quotes is what "it" means in the next message, so a title's own
// quotes must not end it.
func quote(title string) string {
	title = strings.NewReplacer(`"`, "'", "\n", " ", "\r", " ").Replace(title)
	return `"` + title + `"`
}

// joined names tasks in a sentence, at most ten of them.
func joined(tasks []agenttools.Task) string {
	var names []string
	for _, t := range tasks[:min(len(tasks), maxNamed)] {
		names = append(names, quote(t.Title))
	}
	if more := len(tasks) - len(names); more > 0 {
		names = append(names, fmt.Sprintf("%d more", more))
	}
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:len(names)-1], ", ") + " and " + names[len(names)-1]
}

// described is a task with what matters about it.
func described(t agenttools.Task, now time.Time) string {
	parts := []string{quote(t.Title)}
	if due := dueWords(t.Due, now); due != "" {
		parts = append(parts, "due "+due)
	}
	if t.Repeats != "" {
		parts = append(parts, "repeats "+ruleWords(t.Repeats, t.RepeatsFrom))
	}
	if len(t.Reminders) > 0 {
		parts = append(parts, reminderWords(t.Reminders))
	}
	for _, at := range t.RemindAt {
		parts = append(parts, "reminder "+dueWords(at, now))
	}
	if t.Priority != "" && t.Priority != nothing {
		parts = append(parts, t.Priority+" priority")
	}
	if len(t.Tags) > 0 {
		parts = append(parts, "tagged "+strings.Join(t.Tags, ", "))
	}
	if t.SkippedAt != "" {
		parts = append(parts, "skipped "+dueWords(t.SkippedAt, now))
	}
	if t.CompletedAt != "" {
		parts = append(parts, "completed "+dueWords(t.CompletedAt, now))
	}
	return strings.Join(parts, ", ")
}

// dueWords is an instant or a day in words; what it cannot read it shows as it is.
func dueWords(due string, now time.Time) string {
	if day, err := time.Parse(time.DateOnly, due); err == nil {
		return dayWords(day, now)
	}
	at, err := time.Parse(time.RFC3339, due)
	if err != nil {
		return due
	}
	at = at.In(now.Location())
	return dayWords(dayOf(at), now) + " at " + at.Format("15:04")
}

// dayWords names a day and, so that nobody is misunderstood, always its date.
func dayWords(day, now time.Time) string {
	format := "Monday 2 January"
	if day.Year() != now.Year() {
		format += " 2006"
	}
	switch int(day.Sub(dayOf(now)).Hours()) / 24 {
	case 0:
		return "today"
	case 1:
		return "tomorrow (" + day.Format(format) + ")"
	case -1:
		return "yesterday (" + day.Format(format) + ")"
	default:
		return "on " + day.Format(format)
	}
}

var unitsOf = map[string]string{"DAILY": "day", "WEEKLY": "week", "MONTHLY": "month", "YEARLY": "year"}

// ruleWords is a rule in words.
func ruleWords(rrule, from string) string {
	parts := map[string]string{}
	for part := range strings.SplitSeq(strings.TrimPrefix(rrule, "RRULE:"), ";") {
		if key, value, ok := strings.Cut(part, "="); ok {
			parts[key] = value
		}
	}
	unit, ok := unitsOf[parts["FREQ"]]
	if !ok {
		return rrule
	}
	said := "every " + unit
	if n := parts["INTERVAL"]; n != "" && n != "1" {
		said = "every " + n + " " + unit + "s"
	}
	if days := parts["BYDAY"]; days == "MO,TU,WE,TH,FR" {
		said = "every weekday"
	} else if days != "" {
		said += " on " + dayList(days)
	}
	switch day := parts["BYMONTHDAY"]; {
	case day == "-1":
		said += " on the last day"
	case day != "" && parts["BYMONTH"] == "":
		said += " on day " + strings.ReplaceAll(day, ",", " and ")
	}
	if n := parts["COUNT"]; n != "" {
		said += ", " + n + " times"
	}
	if until := parts["UNTIL"]; len(until) >= 8 {
		if day, err := time.Parse("20060102", until[:8]); err == nil {
			said += " until " + day.Format("2 January 2006")
		}
	}
	if from == "completion" {
		said += ", counted from when it is completed"
	}
	return said
}

func dayList(days string) string {
	var names []string
	for day := range strings.SplitSeq(days, ",") {
		for i, short := range dayNames {
			if nth, ok := strings.CutSuffix(day, short); ok {
				name := time.Weekday(i).String()
				switch nth {
				case "":
				case "-1":
					name = "the last " + name
				default:
					name = "the " + nth + ". " + name
				}
				names = append(names, name)
			}
		}
	}
	return strings.Join(names, " and ")
}

func reminderWords(minutes []int) string {
	var said []string
	for _, m := range minutes {
		switch {
		case m == 0:
			said = append(said, "at that time")
		case m%1440 == 0:
			said = append(said, counted(m/1440, "day")+" before")
		case m%60 == 0:
			said = append(said, counted(m/60, "hour")+" before")
		default:
			said = append(said, counted(m, "minute")+" before")
		}
	}
	return "reminder " + strings.Join(said, " and ")
}

func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// failed says what a batch did not do.
func failed(failures []agenttools.Failure) string {
	var b strings.Builder
	for _, f := range failures {
		b.WriteString(" That did not work: " + sentenceOf(f.Error))
		if f.TryNext != "" {
			b.WriteString(" " + sentenceOf(f.TryNext))
		}
	}
	return b.String()
}

func sentenceOf(text string) string {
	text = strings.TrimSpace(text)
	if text != "" && !strings.ContainsAny(text[len(text)-1:], ".!?") {
		text += "."
	}
	return text
}
