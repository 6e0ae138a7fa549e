package importing_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/taskflow-suite/taskflow/pkg/postgres/taskstore"
	"github.com/taskflow-suite/taskflow/pkg/task"
	"github.com/taskflow-suite/taskflow/pkg/testkit"
	"github.com/taskflow-suite/taskflow/services/task-api/internal/importing"
)

// world is a user with a service, and a file of so many tasks.
func world(t *testing.T, n int) (*task.Service, *importing.Importer, importing.File) {
	t.Helper()
	tasks := task.NewService(taskstore.New(testkit.OpenPostgres(t)), time.Now)
	var file importing.File
	for i := range n {
		file.Items = append(file.Items, importing.Item{Line: i + 1, Fields: task.Fields{Title: fmt.Sprintf("task %03d", i)}})
	}
	return tasks, importing.New(tasks, "u", time.UTC, "ical", []byte("the same file")), file
}

// outcome counts results by their status.
func outcome(results []importing.Result) map[importing.Status]int {
	counts := map[importing.Status]int{}
	for _, r := range results {
		counts[r.Status]++
	}
	return counts
}

func run(t *testing.T, i *importing.Importer, file importing.File) []importing.Result {
	t.Helper()
	results, err := i.Run(t.Context(), file)
	if err != nil {
		t.Fatal(err)
	}
	return results
}

func count(t *testing.T, tasks *task.Service) int {
	t.Helper()
	stats, err := tasks.Stats(t.Context(), "u")
	if err != nil {
		t.Fatal(err)
	}
	return stats.Open + stats.Completed
}

func TestAnImportThatWasCutOffGoesOnWhereItEnded(t *testing.T) {
	t.Parallel()
	tasks, importer, file := world(t, 230)
	// As if it had ended in the middle of the second hundred.
	first := run(t, importer, importing.File{Items: file.Items[:150]})
	if got := outcome(first); got[importing.Imported] != 150 {
		t.Errorf("%v", got)
	}
	second := run(t, importer, file)
	if got := outcome(second); got[importing.Already] != 150 || got[importing.Imported] != 80 || count(t, tasks) != 230 {
		t.Errorf("%v, %d tasks", got, count(t, tasks))
	}
	third := run(t, importer, file)
	same := slices.EqualFunc(second, third, func(a, b importing.Result) bool { return a.TaskID == b.TaskID && a.TaskID != "" })
	if got := outcome(third); got[importing.Already] != 230 || !same {
		t.Errorf("%v", got)
	}
}

func TestWhatIsRefusedOnlyWhenItIsMadeKeepsNobodyElseOut(t *testing.T) {
	t.Parallel()
	tasks, importer, file := world(t, 5)
	file.Items[3].Fields.Recurrence = &task.Recurrence{Rule: "FREQ=DAILY;UNTIL=20200101"}
	for range 2 {
		results := run(t, importer, file)
		if r := results[3]; r.Status != importing.Refused || r.Errors[0].Field != "recurrence.rule" || r.TaskID != "" {
			t.Errorf("%+v", r)
		}
		if n := count(t, tasks); n != 4 {
			t.Errorf("%d tasks", n)
		}
	}
}

func TestTheFirstOccurrenceIsWhatItAloneSays(t *testing.T) {
	t.Parallel()
	tasks, importer, file := world(t, 1)
	series := &file.Items[0].Fields
	series.Due, series.Recurrence = task.Due{Date: "2030-06-03"}, &task.Recurrence{Rule: "daily"}
	file.Items[0].Own = &task.Fields{Title: "this one", Due: task.Due{Date: "2030-06-09"}}
	made, err := tasks.Get(t.Context(), "u", run(t, importer, file)[0].TaskID)
	if err != nil {
		t.Fatal(err)
	}
	if made.Title != "this one" || made.Due.Date != "2030-06-09" || made.Recurrence == nil || made.Occurrence.At.Format(time.DateOnly) != "2030-06-03" {
		t.Errorf("%+v", made)
	}
	file.Items[0].Own.Title = ""
	if r := importer.Check(file)[0]; r.Status != importing.Refused || r.Errors[0].Field != "title" {
		t.Errorf("%+v", r)
	}
}

func TestWarningsAreBoundedAndSayHowManyMore(t *testing.T) {
	t.Parallel()
	var w importing.Warnings
	for i := range 100 {
		w.Add("warning %d", i)
		if len(w.Said) > 8 || w.Said[0] != "warning 0" {
			t.Fatalf("%q", w.Said)
		}
	}
	if last := w.Said[len(w.Said)-1]; last != "and 93 more" {
		t.Error(last)
	}
}
