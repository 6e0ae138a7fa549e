package rest

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/services/internal/contract"
	"github.com/taskflow-suite/taskflow/services/task-api/internal/ical"
	"github.com/taskflow-suite/taskflow/services/task-api/internal/importing"
	"github.com/taskflow-suite/taskflow/services/task-api/internal/todoist"
)

const (
	importRoute = "/api/:user_id/import"
	maxImport   = importing.MaxBytes
	// importDeadline is how long an import may take. It is less than the server lets an answer take to be written.
	importDeadline = 50 * time.Second
)

// errCutOff is the error of an import that took too long.
var errCutOff = errs.New(errs.Unavailable, "the import took too long and was interrupted; send the same file again, and it goes on where it ended")

// ImportTasks brings the tasks of a file.
func (s *Server) ImportTasks(ctx context.Context, r ImportTasksRequestObject) (ImportTasksResponseObject, error) {
	wanted := map[ImportTasksParamsFormat]string{ImportTasksParamsFormatTodoist: "text/csv", ImportTasksParamsFormatIcal: "text/calendar"}
	if mediaType := wanted[r.Params.Format]; r.ContentType != mediaType {
		return nil, contract.OtherType("Content-Type must be %s with format=%s", mediaType, string(r.Params.Format))
	}
	zone, err := s.zone(ctx, r.UserID)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, contract.Unreadable(err)
	}
	var file importing.File
	if r.Params.Format == ImportTasksParamsFormatTodoist {
		file, err = todoist.Read(string(body), zone, s.now())
	} else {
		file, err = ical.Read(string(body), zone)
	}
	if err != nil && !errs.Is(err, errs.Invalid) {
		return nil, contract.Malformed("the file cannot be read: %s", err)
	}
	if err != nil {
		return nil, err
	}
	importer := importing.New(s.tasks, r.UserID, zone, string(r.Params.Format), body)
	dry := or(r.Params.DryRun, false)
	if dry {
		return importReply(r.Params.Format, dry, file, importer.Check(file)), nil
	}
	limited, cancel := context.WithTimeout(ctx, importDeadline)
	defer cancel()
	results, err := importer.Run(limited, file)
	if err != nil && ctx.Err() == nil && errors.Is(limited.Err(), context.DeadlineExceeded) {
		return nil, errCutOff
	}
	if err != nil {
		return nil, err
	}
	return importReply(r.Params.Format, dry, file, results), nil
}

// importReply writes what became of a file.
func importReply(format ImportTasksParamsFormat, dry bool, file importing.File, results []importing.Result) reply {
	counts := map[importing.Status]int{}
	warned := 0
	for i := range results {
		counts[results[i].Status]++
		if len(results[i].Warnings.Said) > 0 {
			warned++
		}
	}
	b := append(make([]byte, 0, 512+256*len(results)), `{"format":`...)
	b = appendString(b, string(format))
	b = append(b, `,"dry_run":`...)
	b = strconv.AppendBool(b, dry)
	for _, c := range []struct {
		name string
		n    int
	}{
		{"total", len(results)},
		{"imported", counts[importing.Imported] + counts[importing.Ready]},
		{"already_imported", counts[importing.Already]},
		{"refused", counts[importing.Refused]},
		{"with_warnings", warned},
	} {
		b = append(b, ',')
		b = appendString(b, c.name)
		b = append(b, ':')
		b = strconv.AppendInt(b, int64(c.n), 10)
	}
	b = append(b, `,"warnings":`...)
	b = appendStrings(b, file.Warnings.Said)
	b = append(b, `,"items":[`...)
	for i := range results {
		b = appendComma(b, i)
		b = appendImportItem(b, &results[i])
	}
	return reply{status: http.StatusOK, body: append(b, "]}"...)}
}

func appendImportItem(b []byte, r *importing.Result) []byte {
	b = append(b, `{"line":`...)
	b = strconv.AppendInt(b, int64(r.Line), 10)
	b = append(b, `,"uid":`...)
	b = appendText(b, r.UID)
	b = append(b, `,"status":`...)
	b = appendString(b, string(r.Status))
	b = append(b, `,"task_id":`...)
	b = appendText(b, r.TaskID)
	b = append(b, `,"title":`...)
	b = appendString(b, r.Fields.Title)
	b = append(b, `,"due_date":`...)
	due := r.Fields.Due
	if r.Own != nil {
		due = r.Own.Due
	}
	b = appendDue(b, due)
	b = append(b, `,"recurrence":`...)
	b = appendText(b, r.Sentence)
	b = append(b, `,"completed":`...)
	b = strconv.AppendBool(b, r.Done)
	b = append(b, `,"warnings":`...)
	b = appendStrings(b, r.Warnings.Said)
	b = append(b, `,"errors":[`...)
	for i, f := range r.Errors {
		b = appendComma(b, i)
		b = appendFieldError(b, f)
	}
	return append(b, "]}"...)
}

func appendStrings(b []byte, all []string) []byte {
	b = append(b, '[')
	for i, s := range all {
		b = appendComma(b, i)
		b = appendString(b, s)
	}
	return append(b, ']')
}
