package offline

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/taskflow-suite/taskflow/services/internal/agenttools"
)

// question is an answer instead of doing something: it is not known which task is meant, or there is none.
type question struct{ text string }

func (q question) Error() string { return q.text }

// which begins the question that a choice answers.
const which = "Which one do you mean?"

// pick finds the tasks that a wish is about. pick and its callers change nothing unless it is known which are meant.
func (r *run) pick(t target, status string) ([]agenttools.Task, error) {
	switch {
	case t.filter != nil:
		return r.pickAll(*t.filter, status)
	case t.before && t.query == "":
		return r.pickBefore(t, status)
	}
	found, err := r.find(findInput{Query: t.query, Status: status})
	if err != nil {
		return nil, err
	}
	if len(found) == 0 && t.occurrence != nil {
		if found, err = r.find(findInput{Query: t.occurrence.query, Status: status}); err != nil {
			return nil, err
		}
		if found, err = r.which(found, *t.occurrence); err != nil {
			return nil, err
		}
		t.query = t.occurrence.query
	}
	if len(found) == 0 {
		// Several may have been named: buy milk and call mom.
		parts := t.quoted
		if len(parts) < 2 {
			parts = split(t.query)
		}
		if len(parts) > 1 {
			return r.pickEach(parts, status)
		}
		if shorter := keywords(t.query); shorter != t.query {
			if found, err = r.find(findInput{Query: shorter, Status: status}); err != nil {
				return nil, err
			}
		}
	}
	if t.nth != 0 && len(found) > 0 {
		return nth(found, t.nth)
	}
	if t.all {
		return found, nil
	}
	one, err := single(found, t.query, status, r)
	if err != nil {
		return nil, err
	}
	return []agenttools.Task{one}, nil
}

// which are the tasks of an occurrence. If there are such tasks but none at that time, it says so: another one would be the
// wrong one.
func (r *run) which(found []agenttools.Task, o occurrence) ([]agenttools.Task, error) {
	var same []agenttools.Task
	for _, t := range found {
		if plainly(t.Title) == plainly(o.query) {
			same = append(same, t)
		}
	}
	if len(same) > 0 {
		found = same
	}
	day := func(t agenttools.Task) time.Time {
		if date, err := time.Parse(time.DateOnly, t.Due); err == nil {
			return date
		}
		if at, err := time.Parse(time.RFC3339, t.Due); err == nil {
			return dayOf(at.In(r.now.Location()))
		}
		return time.Time{}
	}
	alike := func(t agenttools.Task) bool { return t.Title == found[0].Title }
	switch {
	case len(found) == 0:
	case o.next:
		// They come in the order of their due dates.
		coming := slices.IndexFunc(found, func(t agenttools.Task) bool { return !day(t).Before(dayOf(r.now)) })
		if coming >= 0 && !slices.ContainsFunc(found, func(t agenttools.Task) bool { return !alike(t) }) {
			return found[coming : coming+1], nil
		}
	case !o.from.IsZero():
		there := slices.DeleteFunc(slices.Clone(found), func(t agenttools.Task) bool {
			return t.Due != "" && (day(t).Before(o.from) || !day(t).Before(o.to))
		})
		if len(there) == 0 {
			return nil, question{"There is none due " + o.label + ", but " + described(found[0], r.now) + "."}
		}
		return there, nil
	}
	return found, nil
}

func (r *run) pickEach(parts []string, status string) ([]agenttools.Task, error) {
	var all []agenttools.Task
	for _, part := range parts {
		found, err := r.find(findInput{Query: part, Status: status})
		if err != nil {
			return nil, err
		}
		one, err := single(found, part, status, r)
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return unique(all), nil
}

// pickAll is every task of a filter, at most a page.
func (r *run) pickAll(f filter, status string) ([]agenttools.Task, error) {
	if f.status == "open" || f.status == "" {
		f.status = status
	}
	found, err := r.find(f.input())
	found = f.keep(found, r.now)
	if err == nil && len(found) == 0 {
		err = question{"There are no such tasks."}
	}
	return found, err
}

// pickBefore is what it, that one and the first one stand for: the tasks that were named last.
func (r *run) pickBefore(t target, status string) ([]agenttools.Task, error) {
	titles := r.named()
	if len(titles) == 0 {
		return nil, question{"I do not know which task you mean. Name it, as in: complete buy milk."}
	}
	switch {
	case t.nth != 0:
		i := t.nth - 1
		if t.nth < 0 {
			i = len(titles) - 1
		}
		if i >= len(titles) {
			return nil, question{fmt.Sprintf("I named %d tasks only.", len(titles))}
		}
		titles = titles[i : i+1]
	case !t.all && len(titles) > 1:
		return nil, question{which + "\n" + numbered(quotedTitles(titles))}
	}
	return r.pickEach(titles, status)
}

func quotedTitles(titles []string) []string {
	var lines []string
	for _, title := range titles {
		lines = append(lines, `"`+title+`"`)
	}
	return lines
}

// maxNamed bounds how many tasks "them" can be.
const maxNamed = 10

// named are the titles that were last named between quotes, by the assistant or else by the user.
func (r *run) named() []string {
	for i := len(r.history) - 1; i >= 0; i-- {
		var titles []string
		for _, w := range read(r.history[i].text).words {
			if w.kind == quoted && r.history[i].text[w.start] == '"' && len(titles) < maxNamed && !slices.Contains(titles, w.text) {
				titles = append(titles, w.text)
			}
		}
		if len(titles) > 0 {
			return titles
		}
	}
	return nil
}

// single is the one task that is meant by words: the only one of that very title, or the only one that was found.
func single(found []agenttools.Task, query, status string, r *run) (agenttools.Task, error) {
	var same []agenttools.Task
	for _, t := range found {
		if plainly(t.Title) == plainly(query) {
			same = append(same, t)
		}
	}
	if len(same) > 0 {
		found = same
	}
	switch {
	case len(found) == 1:
		return found[0], nil
	case len(found) == 0 && query == "":
		return agenttools.Task{}, question{"Which task? Name it, as in: complete buy milk."}
	case len(found) == 0:
		return agenttools.Task{}, question{fmt.Sprintf("I found no %s task like %s.", status, quote(query))}
	default:
		shown := found[:min(len(found), maxNamed)]
		var lines []string
		for _, t := range shown {
			lines = append(lines, described(t, r.now))
		}
		return agenttools.Task{}, question{which + "\n" + numbered(lines)}
	}
}

func nth(found []agenttools.Task, n int) ([]agenttools.Task, error) {
	if n < 0 {
		n = len(found)
	}
	if n > len(found) {
		return nil, question{fmt.Sprintf("There are %d of them only.", len(found))}
	}
	return found[n-1 : n], nil
}

func numbered(lines []string) string {
	var b strings.Builder
	for i, line := range lines {
		fmt.Fprintf(&b, "%d. %s\n", i+1, line)
	}
	return strings.TrimRight(b.String(), "\n")
}

// plainly is a title without what people leave out when they say it.
func plainly(title string) string {
	return strings.Join(strings.FieldsFunc(strings.ToLower(title), func(c rune) bool { return !unicode.IsLetter(c) && !unicode.IsNumber(c) }), " ")
}

// split is a list of titles joined by and or commas.
func split(text string) []string {
	var parts []string
	s := read(text)
	begun := 0
	for i := 0; i <= len(s.words); i++ {
		n := begin(s.words, i, ", and", "and", ",")
		if n == 0 && i < len(s.words) {
			continue
		}
		if part := s.rest(begun, i); part != "" {
			parts = append(parts, part)
		}
		begun = i + n
		i = max(i, begun-1)
	}
	return parts[:min(len(parts), maxNamed)]
}

// keywords are the words of a query without those that titles seldom share with what people say.
func keywords(query string) string {
	var left []string
	for _, w := range read(query).words {
		if w.kind != mark && !slices.Contains([]string{"the", "a", "an", "my", "our", "to", "of", "for", "task", "one", "thing", "that", "this"}, w.low) {
			left = append(left, w.text)
		}
	}
	return strings.Join(left, " ")
}

func unique(tasks []agenttools.Task) []agenttools.Task {
	var all []agenttools.Task
	for _, t := range tasks {
		if !slices.ContainsFunc(all, func(o agenttools.Task) bool { return o.ID == t.ID }) {
			all = append(all, t)
		}
	}
	return all
}
