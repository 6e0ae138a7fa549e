package errs_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/taskflow-suite/taskflow/pkg/errs"
)

func TestKindIsFoundThroughWrapping(t *testing.T) {
	t.Parallel()
	err := fmt.Errorf("list: %w", errs.New(errs.NotFound, "no task %s", "7"))
	if !errs.Is(err, errs.NotFound) || errs.Text(err) != "no task 7" {
		t.Errorf("got %v %q", errs.KindOf(err), errs.Text(err))
	}
}

func TestCauseIsLoggedButNotTold(t *testing.T) {
	t.Parallel()
	cause := errors.New("password=hunter2")
	err := errs.Because(cause, errs.Unavailable, "the database does not answer")
	if strings.Contains(errs.Text(err), "hunter2") {
		t.Errorf("the caller is told %q", errs.Text(err))
	}
	if !errors.Is(err, cause) || !strings.Contains(err.Error(), "hunter2") {
		t.Errorf("the log loses the cause: %v", err)
	}
}

func TestErrorWithoutKindIsInternalAndSilent(t *testing.T) {
	t.Parallel()
	err := errors.New("nil map")
	if errs.KindOf(err) != errs.Internal || errs.Text(err) != "" {
		t.Errorf("got %v %q", errs.KindOf(err), errs.Text(err))
	}
	if errs.Is(nil, errs.Internal) {
		t.Error("no error is of no kind")
	}
}

func TestInvalidFieldsNamesThemAll(t *testing.T) {
	t.Parallel()
	if err := errs.InvalidFields(); err != nil {
		t.Errorf("no field: %v", err)
	}
	err := errs.InvalidFields(errs.Field{Field: "title", Message: "must not be empty"}, errs.Field{Field: "tags", Message: "must be at most 20"})
	if errs.Text(err) != "title must not be empty (and 1 more)" || len(errs.Fields(err)) != 2 {
		t.Errorf("got %q %v", errs.Text(err), errs.Fields(err))
	}
}
