package app

import (
	"fmt"
	"testing"
	"time"

	"github.com/taskflow-suite/taskflow/pkg/event"
	"github.com/taskflow-suite/taskflow/pkg/postgres"
	"github.com/taskflow-suite/taskflow/pkg/testkit"
	"github.com/taskflow-suite/taskflow/proto"
	taskv1 "github.com/taskflow-suite/taskflow/proto/gen/taskflow/task/v1"
	userv1 "github.com/taskflow-suite/taskflow/proto/gen/taskflow/user/v1"
	"github.com/taskflow-suite/taskflow/services/notifier/internal/hub/hubtest"
)

// write commits n events of a user, one transaction each, with an event of another topic between them.
func write(t testing.TB, db *postgres.DB, user string, n int) {
	t.Helper()
	for range n {
		err := db.Transaction(t.Context(), func(tx *postgres.Tx) error {
			now := time.Now()
			return tx.Append(
				event.New(proto.TaskCreated, now, user, event.NewID(), 1, &taskv1.TaskCreated{Fields: &taskv1.Fields{Title: "a secret title"}}),
				event.New(proto.UserUpdated, now, user, fmt.Sprint(user, event.NewID()), 1, &userv1.UserUpdated{}),
			)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestTheLogInPostgresIsALog(t *testing.T) {
	t.Parallel()
	db := testkit.OpenPostgres(t)
	hubtest.Conform(t, eventLog{db}, func(t *testing.T, userID string, n int) {
		t.Helper()
		write(t, db, userID, n)
	})
}
