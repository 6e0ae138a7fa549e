package todoist_test

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/task"
	"github.com/taskflow-suite/taskflow/services/task-api/internal/todoist"
)

const header = "TYPE,CONTENT,DESCRIPTION,PRIORITY,INDENT,AUTHOR,RESPONSIBLE,DATE,DATE_LANG,TIMEZONE,DURATION,DURATION_UNIT\r\n"

const template = "\uFEFF" + header +
	"meta,view_style=list,,,,,,,,,,\r\n" +
	"note,A comment on the project,,,,,,,,,,\r\n" +
	"task,Buy milk @errand @home and write to a@b.example,Two litres,1,1,Ann (1),Bob (2),every monday at 9am,en,Europe/Oslo,None,None\r\n" +
	"note,\"Oat, not cow\nplease\",,,,Ann (1),,,,,,\r\n" +
	"task,Find the bottle,,4,2,,,tomorrow,en,,30,minute\r\n" +
	",,,,,,,,,,,\r\n" +
	"section,Later,,,,,,,,,,\r\n" +
	"task,* Only a headline,,2,1,,,jeden Montag,de,,,\r\n" +
	"task,Someday,,9,1,,,when I feel like it,en,Mars/Base,,\r\n" +
	"task,Numbers have no language,,3,1,,,2026-12-24 18:00,de,America/New_York,,\r\n" +
	"thing,Unheard of,,,,,,,,,,\r\n"

func TestATemplateIsReadWithNothingLost(t *testing.T) {
	t.Parallel()
	oslo, err := time.LoadLocation("Europe/Oslo")
	if err != nil {
		t.Fatal(err)
	}
	file, err := todoist.Read(template, oslo, now)
	if err != nil {
		t.Fatal(err)
	}
	want := []struct {
		line   int
		fields task.Fields
		warned string
	}{
		{4, task.Fields{
			Title: "Buy milk and write to a@b.example", Description: "Two litres\nResponsible: Bob (2)\n\nOat, not cow\nplease",
			Priority: task.Urgent, Tags: []string{"errand", "home"}, Due: task.Due{At: time.Date(2026, 12, 7, 8, 0, 0, 0, time.UTC)},
			Recurrence: &task.Recurrence{Rule: "FREQ=WEEKLY;BYDAY=MO", Anchor: task.OnSchedule, CatchUp: task.Latest},
		}, ""},
		{7, task.Fields{Title: "Find the bottle", Description: "Part of: Buy milk and write to a@b.example\nDuration: 30 minute", Priority: task.None, Due: task.Due{Date: "2026-12-03"}}, ""},
		{10, task.Fields{Title: "Only a headline", Description: "Section: Later\nDate: jeden Montag", Priority: task.High}, `line 10: its date was not understood, "jeden Montag"; it is in the description`},
		{11, task.Fields{Title: "Someday", Description: "Section: Later\nDate: when I feel like it", Priority: task.None}, `line 11: its priority is none of 1 to 4: "9"|` +
			`line 11: its time zone is not known, "Mars/Base"; yours was taken|line 11: its date was not understood, "when I feel like it"; it is in the description`},
		{12, task.Fields{Title: "Numbers have no language", Description: "Section: Later", Priority: task.Medium, Due: task.Due{At: time.Date(2026, 12, 24, 23, 0, 0, 0, time.UTC)}}, ""},
	}
	if len(file.Items) != len(want) {
		t.Fatalf("%d items", len(file.Items))
	}
	for i, w := range want {
		got := file.Items[i]
		if got.Line != w.line || !reflect.DeepEqual(got.Fields, w.fields) || strings.Join(got.Warnings.Said, "|") != w.warned {
			t.Errorf("got  line %d %+v %+v %q\nwant line %d %+v %q", got.Line, got.Fields, got.Fields.Recurrence, got.Warnings.Said, w.line, w.fields, w.warned)
		}
	}
	if got := strings.Join(file.Warnings.Said, "|"); got != `line 3: a comment on the project belongs to no task: "A comment on the project"|line 13: a row of the type "thing" was passed over` {
		t.Error(got)
	}
}

func TestFilesThatAreNoTemplatesAreRefused(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                            "the first row must name the columns, TYPE and CONTENT among them",
		"a,b\n1,2\n":                  "the first row must name the columns, TYPE and CONTENT among them",
		"TYPE,CONTENT\n\"task,x\n\"y": "",
		"\xff":                        "the file is not UTF-8",
		strings.Repeat("A,", 70):      "a row has more than 64 columns",
		header + strings.Repeat("note,x\n", 50_001): "the file has more than 50000 rows",
		header + strings.Repeat("task,x\n", 5001):   "must hold at most 5000 tasks, not 5001",
	} {
		_, err := todoist.Read(text, time.UTC, now)
		got := ""
		if err != nil {
			got = err.Error()
		}
		if fields := errs.Fields(err); len(fields) == 1 {
			got = fields[0].Message
		}
		if got != want {
			t.Errorf("%.40q: %q, want %q", text, got, want)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add(template)
	f.Add("TYPE,CONTENT,DATE\ntask,@a @b,every day\nnote,\nsection,\n")
	f.Add("CONTENT,TYPE\n\"\"\"\",task\nx\n")
	f.Fuzz(func(t *testing.T, text string) {
		file, err := todoist.Read(text, time.UTC, now)
		if err != nil {
			return
		}
		for _, item := range file.Items {
			if normal, err := item.Fields.Normal(); err == nil && len([]rune(normal.Title)) > task.MaxTitle {
				t.Errorf("%q", normal.Title)
			} else if err != nil && item.Fields.Title != "" && strings.TrimSpace(item.Fields.Title) != "" {
				t.Errorf("%q is read and refused: %v", item.Fields.Title, errs.Fields(err))
			}
		}
	})
}
