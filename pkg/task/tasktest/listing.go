package tasktest

import (
	"cmp"
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/task"
)

var listing = map[string]func(*testing.T, suite){
	"every order is total, in both directions, in pages of any size": func(t *testing.T, s suite) {
		all := s.many(t, 43)
		for _, order := range []task.Order{task.ByCreated, task.ByUpdated, task.ByDue, task.ByPriority, task.ByTitle} {
			for _, descending := range []bool{false, true} {
				want := slices.Clone(all)
				slices.SortFunc(want, compare(order, descending))
				for _, limit := range []int{1, 7, 43, 200} {
					q := task.Query{Order: order, Descending: descending, Limit: limit}
					got := s.pages(t, user, q)
					if !slices.Equal(ids(got), ids(want)) {
						t.Fatalf("by %s, descending %t, %d a page:\n got %v\nwant %v", order, descending, limit, titles(got), titles(want))
					}
				}
			}
		}
	},
	"each filter selects what it says": func(t *testing.T, s suite) {
		s.made(t, user, task.Fields{Title: "low", Priority: task.Low, Tags: []string{"home", "a"}}, start)
		s.made(t, user, task.Fields{Title: "urgent", Priority: task.Urgent, Tags: []string{"work"}, Due: task.Due{At: start}}, start)
		s.made(t, user, task.Fields{Title: "today", Due: task.Due{Date: start.Format(time.DateOnly)}}, start)
		done := s.made(t, user, task.Fields{Title: "done", Due: task.Due{At: start.Add(-time.Hour)}}, start)
		s.change(t, done, func(x *task.Task) error { return x.Complete(start) })
		gone := s.made(t, user, task.Fields{Title: "gone", Tags: []string{"home"}}, start)
		s.change(t, gone, func(x *task.Task) error { return x.Delete(start) })
		yes, no := true, false
		midnight := start.Truncate(24 * time.Hour).Add(24 * time.Hour)
		for what, test := range map[string]struct {
			q    task.Query
			want []string
		}{
			"everything":              {task.Query{}, []string{"low", "urgent", "today", "done"}},
			"the trash":               {task.Query{Deleted: true}, []string{"gone"}},
			"the trash with a tag":    {task.Query{Deleted: true, Tag: "work"}, nil},
			"open":                    {task.Query{Completed: &no}, []string{"low", "urgent", "today"}},
			"completed":               {task.Query{Completed: &yes}, []string{"done"}},
			"priorities":              {task.Query{Priority: []task.Priority{task.Urgent, task.Low}}, []string{"low", "urgent"}},
			"a tag":                   {task.Query{Tag: "home"}, []string{"low"}},
			"a tag nobody has":        {task.Query{Tag: "hom"}, nil},
			"due before excludes":     {task.Query{DueBefore: start}, []string{"done"}},
			"due after includes":      {task.Query{DueAfter: start}, []string{"urgent", "today"}},
			"a day ends at midnight":  {task.Query{DueAfter: midnight}, []string{"today"}},
			"overdue":                 {task.Query{OverdueAt: start.Add(time.Minute)}, []string{"urgent"}},
			"overdue after midnight":  {task.Query{OverdueAt: midnight.Add(time.Second)}, []string{"urgent", "today"}},
			"overdue not at midnight": {task.Query{OverdueAt: midnight}, []string{"urgent"}},
		} {
			for _, order := range []task.Order{task.ByCreated, task.ByDue} {
				test.q.Order = order
				got, want := titles(s.list(t, test.q)), slices.Clone(test.want)
				slices.Sort(got)
				slices.Sort(want)
				wantEqual(t, fmt.Sprintf("%s by %s", what, order), got, want)
			}
		}
	},
	"text is found word by word in title and description": func(t *testing.T, s suite) {
		s.made(t, user, task.Fields{Title: "Buy Milk", Description: "two litres, Größe XL"}, start)
		s.made(t, user, task.Fields{Title: "Call the bank"}, start)
		s.made(t, "eve", titled("Buy milk too"), start)
		for text, want := range map[string][]string{
			"milk": {"Buy Milk"}, "MILK buy": {"Buy Milk"}, "milk litres": {"Buy Milk"}, "größe": {"Buy Milk"},
			"milk bank": nil, "the": {"Call the bank"}, "mil": nil, "' OR 1=1 --": nil, "& | ! ( :* '": nil, "%": nil,
		} {
			wantEqual(t, "text "+text, titles(s.list(t, task.Query{Text: text})), want)
		}
	},
	"a list shows nobody else's tasks": func(t *testing.T, s suite) {
		s.made(t, "eve", titled("hers"), start)
		if got := s.list(t, task.Query{}); len(got) != 0 {
			t.Errorf("listed %v", titles(got))
		}
	},
	"a cursor of another list, and a forged one, is invalid": func(t *testing.T, s suite) {
		s.many(t, 5)
		s.made(t, "eve", titled("x"), start)
		page, err := s.List(t.Context(), user, task.Query{Order: task.ByTitle, Limit: 2})
		must(t, err)
		no := false
		raw, _ := base64.RawURLEncoding.DecodeString(page.Next)
		encode := func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }
		for what, ask := range map[string]struct {
			user string
			q    task.Query
		}{
			"another order":     {user, task.Query{Order: task.ByCreated, After: page.Next}},
			"another direction": {user, task.Query{Order: task.ByTitle, Descending: true, After: page.Next}},
			"another filter":    {user, task.Query{Order: task.ByTitle, Completed: &no, After: page.Next}},
			"another text":      {user, task.Query{Order: task.ByTitle, Text: "x", After: page.Next}},
			"another user":      {"eve", task.Query{Order: task.ByTitle, After: page.Next}},
			"nonsense":          {user, task.Query{Order: task.ByTitle, After: "nonsense!"}},
			"half of one":       {user, task.Query{Order: task.ByTitle, After: page.Next[:len(page.Next)/2]}},
			"an empty object":   {user, task.Query{Order: task.ByTitle, After: encode("{}")}},
			"another id":        {user, task.Query{Order: task.ByTitle, After: encode(strings.Replace(string(raw), "-", "'", 1))}},
			"a megabyte":        {user, task.Query{Order: task.ByTitle, After: strings.Repeat("a", 1<<20)}},
		} {
			ask.q.Limit = 2
			_, err := s.List(t.Context(), ask.user, ask.q)
			wantKind(t, what, err, errs.Invalid)
		}
	},
	"a list that cannot be is invalid": func(t *testing.T, s suite) {
		s.profile(t, user)
		for what, q := range map[string]task.Query{
			"limit 0": {}, "limit 201": {Limit: 201}, "an order there is not": {Limit: 1, Order: "id; DROP TABLE tasks"},
			"a NUL in the text": {Limit: 1, Text: "a\x00"}, "a tag that is no text": {Limit: 1, Tag: "\xff"},
		} {
			_, err := s.List(t.Context(), user, q)
			wantKind(t, what, err, errs.Invalid)
		}
	},
	"pages neither repeat nor lose what was there all along": func(t *testing.T, s suite) {
		all := s.many(t, 30)
		q := task.Query{Order: task.ByCreated, Limit: 5}
		seen := map[string]int{}
		for {
			page, err := s.List(t.Context(), user, q)
			must(t, err)
			for _, x := range page.Tasks {
				seen[x.ID]++
			}
			if page.Next == "" {
				break
			}
			q.After = page.Next
			s.made(t, user, titled("earlier"), start.Add(-time.Hour))
		}
		for _, x := range all {
			if seen[x.ID] != 1 {
				t.Errorf("%s was listed %d times", x.Title, seen[x.ID])
			}
		}
	},
}

// many makes n tasks that differ in everything a list sorts by, with ties, and one task of somebody else.
func (s suite) many(t *testing.T, n int) []task.Task {
	t.Helper()
	s.made(t, "somebody else", titled("t"), start)
	random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // G404: the same every time
	var all []task.Task
	for i := range n {
		f := task.Fields{
			Title:    []string{"Beta", "alpha", "beta", "Gamma"}[random.IntN(4)],
			Priority: task.Priorities()[random.IntN(5)],
		}
		switch random.IntN(3) {
		case 0:
			f.Due.At = start.Add(time.Duration(random.IntN(5)) * time.Hour)
		case 1:
			f.Due.Date = start.AddDate(0, 0, random.IntN(3)).Format(time.DateOnly)
		}
		made := s.made(t, user, f, start.Add(time.Duration(random.IntN(10))*time.Second))
		if i%4 == 0 {
			made = s.change(t, made, func(x *task.Task) error {
				return x.Complete(later.Add(time.Duration(random.IntN(5)) * time.Second))
			})
		}
		all = append(all, made)
	}
	return all
}

// pages lists everything, page by page.
func (s suite) pages(t *testing.T, userID string, q task.Query) []task.Task {
	t.Helper()
	var all []task.Task
	for {
		page, err := s.List(t.Context(), userID, q)
		must(t, err)
		if len(page.Tasks) > q.Limit {
			t.Fatalf("a page of %d holds %d", q.Limit, len(page.Tasks))
		}
		all = append(all, page.Tasks...)
		if page.Next == "" {
			return all
		}
		if len(page.Tasks) != q.Limit {
			t.Fatalf("a page of %d holds %d and is not the last", q.Limit, len(page.Tasks))
		}
		q.After = page.Next
	}
}

func ids(tasks []task.Task) []string {
	var all []string
	for _, t := range tasks {
		all = append(all, t.ID)
	}
	return all
}

// compare is what each order means.
func compare(order task.Order, descending bool) func(a, b task.Task) int {
	return func(a, b task.Task) int {
		var c int
		switch order {
		case task.ByUpdated:
			c = a.UpdatedAt.Compare(b.UpdatedAt)
		case task.ByPriority:
			c = cmp.Compare(a.Priority.Rank(), b.Priority.Rank())
		case task.ByTitle:
			c = cmp.Compare(strings.ToLower(a.Title), strings.ToLower(b.Title))
		case task.ByDue:
			if a.Due.IsZero() != b.Due.IsZero() {
				if a.Due.IsZero() {
					return 1
				}
				return -1
			}
			c = a.Due.Deadline(time.UTC).Compare(b.Due.Deadline(time.UTC))
		default:
			c = a.CreatedAt.Compare(b.CreatedAt)
		}
		c = cmp.Or(c, cmp.Compare(a.ID, b.ID))
		if descending {
			return -c
		}
		return c
	}
}
