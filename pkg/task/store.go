package task

import (
	"context"
	"time"

	"github.com/taskflow-suite/taskflow/pkg/event"
	contract "github.com/taskflow-suite/taskflow/proto"
)

// Store keeps tasks, profiles and the event log together. Every change and its events are saved in one transaction;
// the order of a user's events is the order of that user's commits. Every method is bounded by its context.
//
// tasktest.Store is the suite every implementation passes. Errors that are none of those named are internal, or
// errs.Unavailable when the database does not answer.
type Store interface {
	// Create saves new tasks of one user (at most 100) with their events, in order. errs.Conflict if an id is taken, or if
	// once has a key that the user has used in the last 24 hours: then nothing is saved and Recall tells what it made.
	// errs.Invalid for no task, too many, and another user's. A user without a profile gets one, in UTC.
	Create(ctx context.Context, userID string, once Idempotency, tasks ...Task) error
	// Recall returns what was stored under a user's idempotency key. errs.NotFound if there is nothing.
	Recall(ctx context.Context, userID, key string) (Idempotency, error)

	// Get returns one task, in the trash or not. errs.NotFound if the user has none of that id.
	Get(ctx context.Context, userID, id string) (Task, error)
	// Change applies fn to the current task and saves what fn left with its events, in one transaction.
	// version 0 means whatever the current one is. errs.NotFound if there is none; errs.Stale if version is not the
	// current one (the current task is returned with the error). If fn fails, nothing is saved and its error comes back
	// as it is. If fn records no fact, nothing is written. fn may be called more than once, each time with a fresh copy:
	// it changes the task and its series and nothing else. A task that repeats comes with its series, locked, whose events
	// follow the task's; a series that fn began (Task.Series) is made with it. The alarms of the task are set anew
	// (Task.Alarms) if fn says so (Task.AlarmsChanged), also without a fact.
	Change(ctx context.Context, userID, id string, version int, fn func(*Task) error) (Task, error)
	// List returns one page of tasks. errs.Invalid for a limit, an order or a text that cannot be, and for a cursor that no
	// page of the same query gave.
	List(ctx context.Context, userID string, q Query) (Page, error)
	// Stats counts a user's tasks. Days are the calendar days of zone, the owner's.
	Stats(ctx context.Context, userID string, now time.Time, zone *time.Location) (Stats, error)
	// Series returns those of the user's series that have one of these ids (at most MaxPage), by id: what is no id of theirs
	// is left out. errs.Invalid for too many.
	Series(ctx context.Context, userID string, ids []string) ([]Series, error)
	// Advance applies fn to a series of the user, locked with the owner's profile, saves what it left, and makes the tasks it
	// returned, unless there is one of that series and occurrence already; Newest is then the one that was there, if fn
	// made the other the newest. It returns those it made. errs.NotFound if there is no such series or the user is gone.
	// If fn fails, nothing is saved and its error comes back as it is.
	Advance(ctx context.Context, userID, seriesID string, fn func(s *Series, owner Profile) ([]Task, error)) (made []Task, err error)
	// Following lists up to limit series, by id above after, that go on, are in their owner's zone wherever that is, and
	// were not worked out in zone.
	Following(ctx context.Context, userID, zone, after string, limit int) ([]string, error)
	// OpenIDs lists up to limit open tasks of the user outside the trash, by id above after: those of a series, or, if
	// seriesID is empty, those that are due on a day and have reminders.
	OpenIDs(ctx context.Context, userID, seriesID, after string, limit int) ([]string, error)
	// Ring applies fn to a waiting alarm and its task, saves what fn left with its events, and has it never ring again. An
	// alarm that is not waiting any more (it rang, the task is closed, the due date was moved) is no error: fn is not called.
	// errs.NotFound if the user is gone.
	Ring(ctx context.Context, userID, alarmID string, fn func(t *Task, a Alarm) error) error
	// Purge removes for good up to limit tasks, of any users, that went to the trash before a time, each with its event.
	// It returns how many.
	Purge(ctx context.Context, before, now time.Time, limit int) (int, error)

	// EnsureProfile makes the user's profile with its event if there is none, and returns the profile, as it was some
	// seconds ago perhaps. The versions of a user who was forgotten and is back go on where they ended. errs.Invalid for an
	// id that cannot be a user's.
	EnsureProfile(ctx context.Context, userID string, zone string, now time.Time) (Profile, error)
	// ChangeProfile is Change for a profile. errs.NotFound without one.
	ChangeProfile(ctx context.Context, userID string, version int, fn func(*Profile) error) (Profile, error)
	// Forget deletes the user with everything of theirs, the event log included, and leaves one user.deleted event.
	// errs.NotFound without a profile.
	Forget(ctx context.Context, userID string, now time.Time) error

	// Events returns up to limit events of a topic with a sequence above since, in order, or those below before, the newest
	// first, and the topic's current sequence, 0 before the first event. errs.Invalid for a limit out of bounds.
	Events(ctx context.Context, q EventQuery) ([]event.Envelope, int64, error)
}

// Idempotency is a request that must take effect once, however often it is sent. The zero value is none.
type Idempotency struct {
	// Key is the client's; unique per user.
	Key string
	// Hash identifies the request's body.
	Hash string
	// Answer is what the first request was answered with, encoded by the door it came through.
	Answer []byte
}

// Order is what a list is sorted by.
type Order string

// The orders. Ties are broken by id, so that every order is total and a cursor can point into it.
const (
	ByCreated  Order = "created_at"
	ByUpdated  Order = "updated_at"
	ByDue      Order = "due_date" // tasks without a due date come last, in both directions
	ByPriority Order = "priority"
	ByTitle    Order = "title"
)

// Query selects tasks. The zero value of a field does not restrict.
type Query struct {
	// Deleted selects the trash instead of everything outside it.
	Deleted bool
	// Completed selects what is done, or what is open; what was skipped is neither.
	Completed *bool
	Priority  []Priority
	Tag       string
	// SeriesID selects the occurrences of a series.
	SeriesID string
	// DueBefore and DueAfter compare with the deadline in the owner's zone (see Due.Deadline); DueBefore excludes,
	// DueAfter includes.
	DueBefore time.Time
	DueAfter  time.Time
	// OverdueAt selects open tasks whose deadline has passed at that time.
	OverdueAt time.Time
	// Text must occur, word by word, in title or description.
	Text string

	Order      Order // ByCreated when empty
	Descending bool
	// After continues behind a Page.Next.
	After string
	// Limit is 1 to 200.
	Limit int
}

// Page is one page of a list.
type Page struct {
	Tasks []Task
	// Next is the cursor of the following page, empty on the last.
	Next string
}

// Stats counts a user's tasks. All but Deleted are outside the trash; Overdue and DueToday are open.
type Stats struct {
	Open, Completed, Overdue, DueToday, Deleted int
	ByPriority                                  map[Priority]int // open tasks
	// CompletedPerDay counts the last 30 days, oldest first; the last is today.
	CompletedPerDay []DayCount
}

// DayCount is a calendar day, as YYYY-MM-DD, and a number.
type DayCount struct {
	Day   string
	Count int
}

// EventQuery selects events of one user on one topic.
type EventQuery struct {
	UserID string
	Topic  contract.Topic
	// AggregateID restricts to one aggregate when set.
	AggregateID string
	// Since is for the oldest first, the order without Newest.
	Since int64
	// Newest turns the order round, and Before instead of Since says where to begin: at the very newest if it is 0.
	Newest bool
	Before int64
	// Limit is 1 to 1000.
	Limit int
}

// Agenda is what the scheduler needs of the store beside Store: what is due, of whatever users.
type Agenda interface {
	// ClaimSeries claims up to limit series whose NextAt has come and that nobody else has claimed, the longest due first,
	// and announces each (recurrence.due) in the same transaction. It returns how many. A claim that leads to nothing ends
	// after a while (ClaimLease), and the series can be claimed again.
	ClaimSeries(ctx context.Context, now time.Time, limit int) (int, error)
	// ClaimAlarms is ClaimSeries for waiting alarms (reminder.due).
	ClaimAlarms(ctx context.Context, now time.Time, limit int) (int, error)
	// NextDue is when the next claim can be made, the zero time if nothing waits.
	NextDue(ctx context.Context) (time.Time, error)
	// Backlog tells what is due and has not been acted on. Counts end at MaxBacklog.
	Backlog(ctx context.Context, now time.Time) (Backlog, error)
}

const (
	// ClaimLease is how long a claim keeps others from claiming the same.
	ClaimLease = 2 * time.Minute
	// MaxBacklog is where Agenda.Backlog stops counting.
	MaxBacklog = 10_000
)

// Backlog is what is due and has not been acted on, claimed or not.
type Backlog struct {
	Series, Alarms int
	// Oldest is since when, zero if there is nothing.
	Oldest time.Time
}
