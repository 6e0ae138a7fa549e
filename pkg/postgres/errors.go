package postgres

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"gorm.io/gorm"

	"github.com/taskflow-suite/taskflow/pkg/errs"
)

// Failure gives an error of the database its kind: errs.Unavailable if the same may succeed later (no connection, too
// many of them, a server going down, a timeout, a deadlock), none, and so internal, otherwise. An error that has a kind,
// and nil, come back as they are. gorm's ErrDuplicatedKey and ErrForeignKeyViolated stay recognisable.
func Failure(err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*errs.Error](err); ok {
		return err
	}
	if passing(err) {
		return errs.Because(err, errs.Unavailable, "the database does not answer")
	}
	return err
}

func passing(err error) bool {
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
		// https://www.postgresql.org/docs/current/errcodes-appendix.html
		switch pg.Code {
		case "40001", "40P01", // serialization failure, deadlock
			"55P03",                                     // lock timeout
			"57014", "57P01", "57P02", "57P03", "57P05", // cancelled, shutting down, crashed, starting up, idle
			"25P02", "25P03", // the transaction was ended before
			"25006": // read only: a standby that has not taken over yet
			return true
		}
		return strings.HasPrefix(pg.Code, "08") || strings.HasPrefix(pg.Code, "53") || strings.HasPrefix(pg.Code, "58")
	}
	if _, ok := errors.AsType[*pgconn.ConnectError](err); ok {
		return true
	}
	if _, ok := errors.AsType[net.Error](err); ok {
		return true
	}
	for _, known := range []error{
		context.DeadlineExceeded, context.Canceled, driver.ErrBadConn, sql.ErrConnDone, sql.ErrTxDone,
		io.EOF, io.ErrUnexpectedEOF, io.ErrClosedPipe, net.ErrClosed, gorm.ErrInvalidTransaction,
	} {
		if errors.Is(err, known) {
			return true
		}
	}
	// pgx tells of a connection that broke earlier in words only.
	return strings.Contains(err.Error(), "conn closed")
}

// IsDuplicate reports whether err is a violated unique constraint.
func IsDuplicate(err error) bool { return errors.Is(err, gorm.ErrDuplicatedKey) }

// IsOrphan reports whether err is a violated foreign key.
func IsOrphan(err error) bool { return errors.Is(err, gorm.ErrForeignKeyViolated) }

// IsNone reports whether err is that no row was found.
func IsNone(err error) bool { return errors.Is(err, gorm.ErrRecordNotFound) }
