package agenttools

// Task is a task as the tools show it. Times are RFC 3339 in the user's zone, which the result around it names.
type Task struct {
	ID          string   `json:"id"`
	Title       string   `json:"title"`
	Description string   `json:"description,omitempty"`
	Status      string   `json:"status" jsonschema:"open, completed, skipped or deleted"`
	Priority    string   `json:"priority,omitempty" jsonschema:"low, medium, high or urgent; absent for none"`
	Tags        []string `json:"tags,omitempty"`
	// Due is an instant such as 2026-12-01T17:00:00+05:00, or a day such as 2026-12-01; absent for none.
	Due       string `json:"due,omitempty" jsonschema:"instant in the user's zone, or a date when due all day"`
	Reminders []int  `json:"reminders,omitempty" jsonschema:"minutes before due"`
	// RemindAt are the reminders at times of their own.
	RemindAt []string `json:"remind_at,omitempty" jsonschema:"reminders at times of their own"`
	// Repeats is an RFC 5545 RRULE value.
	Repeats string `json:"repeats,omitempty" jsonschema:"RRULE"`
	// RepeatsFrom is schedule or completion; present with Repeats.
	RepeatsFrom string `json:"repeats_from,omitempty" jsonschema:"schedule or completion"`
	// RepeatsZone is the IANA zone in which the rule is read; absent for the user's, wherever that is.
	RepeatsZone string `json:"repeats_zone,omitempty" jsonschema:"zone of the rule; absent for the user's"`
	// CatchUp is all or skip; absent for latest.
	CatchUp string `json:"catch_up,omitempty" jsonschema:"all or skip; absent for latest"`
	// SeriesID is the series that the task is an occurrence of. Occurrence is its place in it: what the clocks show, as
	// 2006-01-02T15:04:05, which stays when the due date is moved.
	SeriesID    string `json:"series_id,omitempty"`
	Occurrence  string `json:"occurrence,omitempty"`
	CompletedAt string `json:"completed_at,omitempty"`
	SkippedAt   string `json:"skipped_at,omitempty"`
	Version     int    `json:"version"`
}

// Tasks is what the tools that find or change tasks answer.
type Tasks struct {
	// TimeZone is the IANA zone of every time in the answer.
	TimeZone string `json:"time_zone"`
	Tasks    []Task `json:"tasks"`
	// Failures are the items that were not done; the others were.
	Failures []Failure `json:"failures,omitempty"`
	// NextCursor continues a list; absent on its last page.
	NextCursor string `json:"next_cursor,omitempty"`
}

// Failure is an item of a batch that was not done, and why.
type Failure struct {
	// Item is the id of the task, or the position of a new one, from 0.
	Item    string `json:"item"`
	Code    string `json:"code" jsonschema:"invalid, not_found, conflict or stale"`
	Error   string `json:"error"`
	TryNext string `json:"try_next,omitempty" jsonschema:"what to do about it"`
}

// DeletePlan is what delete_tasks answers to a call without a confirmation: what would be deleted, and what to send to
// have it done.
type DeletePlan struct {
	TimeZone string    `json:"time_zone"`
	Plan     []Task    `json:"plan"`
	Failures []Failure `json:"failures,omitempty"`
	// EndsSeries are the ids of tasks in the plan with which their series would end; Note then says what else can be done.
	EndsSeries []string `json:"ends_series,omitempty"`
	Note       string   `json:"note,omitempty"`
	// Confirmation is bound to the user and to the ids, and runs out.
	Confirmation string `json:"confirmation"`
	ExpiresAt    string `json:"expires_at"`
}

// DeleteInput is the input of delete_tasks.
type DeleteInput struct {
	IDs []string `json:"ids"`
	// Confirmation is empty in the first call. The model never sees the word: the agent sends it after the user agreed.
	Confirmation string `json:"confirmation,omitempty"`
}
